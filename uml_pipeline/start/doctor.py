"""Is this machine fit? Python, packages, cores, memory, disk, GPU, git, and the way to the model hub."""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from uml_pipeline.extras import EXTRAS
from uml_pipeline.features.hub_reach import unreachable
from uml_pipeline.workers import cores

_TRIPLE = ("torch", "torchvision", "torchaudio")
FATAL = ("Python", "packages", "torch")
"""What nothing runs without."""
_NEEDED = ("image", "text", "audio", "hub", "pipeline")  # extras of an installation that runs studies
_ROOM = 5e9  # bytes of disk: encoders' weights, features, DVC's cache
_MEMORY = 4e9  # bytes


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    found: str
    well: bool
    fix: str = ""
    """What to do where it is not well."""


def examine(folder: Path) -> list[Finding]:
    """Look at everything that a run needs; `folder` is where it shall take place."""
    looks: tuple[Callable[[], Finding], ...] = (_python, _packages, _release, _cores, _memory, _gpu, _git, _hub)
    return [*(look() for look in looks), _disk(folder), _compiled()]


def _python() -> Finding:
    return Finding("Python", sys.version.split()[0], sys.version_info >= (3, 11), "install Python 3.11 or newer")


def _packages() -> Finding:
    """Everything that the extra `pipeline` brings is there; how new, pip has seen to."""
    names = [name for extra in _NEEDED for name in EXTRAS[extra]]
    missing = [name for name in names if find_spec(name) is None]
    found = f"missing: {', '.join(missing)}" if missing else f"all {len(names)} are installed"
    return Finding("packages", found, not missing, "pip install 'uml-pipeline[pipeline]'")


def _release() -> Finding:
    """torch, torchvision and torchaudio are built for each other: those of different releases may fail to import."""
    names = [name for name in _TRIPLE if find_spec(name)]
    try:
        for name in names:
            import_module(name)
    except (AttributeError, ImportError, OSError, RuntimeError) as error:
        fix = "install them anew, together: pip install --upgrade --force-reinstall torch torchvision torchaudio"
        return Finding("torch", f"cannot be imported: {(str(error) or repr(error)).splitlines()[0]}", False, fix)
    said = ", ".join(f"{name} {version(name)}" for name in names)
    return Finding("torch", said or "no torch", "torch" in names, "pip install torch")


def _cores() -> Finding:
    return Finding("CPU cores", str(cores()), True)


def _memory() -> Finding:
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else None
    if size is None:
        return Finding("memory", "not known", True)
    return Finding("memory", f"{size / 1e9:.0f} GB", size >= _MEMORY, "close other programs, or use a larger machine")


def _gpu() -> Finding:
    import torch

    if not torch.cuda.is_available():
        return Finding("GPU", "none: all work is done by the CPU", True)
    about = torch.cuda.get_device_properties(0)
    return Finding("GPU", f"{torch.cuda.device_count()} x {about.name}, {about.total_memory / 1e9:.0f} GB", True)


def _git() -> Finding:
    there = shutil.which("git") is not None
    return Finding(
        "git", "installed" if there else "not found", there, "install it: versions of a study need it, runs do not"
    )


def _hub() -> Finding:
    """Only encoders by a hub's name need it, and only the first time."""
    why = unreachable()
    if why is not None:
        fix = (
            "fine with built-in encoders and local checkpoints; else see to the network, or set HF_ENDPOINT to a mirror"
        )
        return Finding("model hub", f"cannot be reached: {why}", False, fix)
    return Finding("model hub", "can be reached", True)


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    return Finding("free disk", f"{free / 1e9:.0f} GB", free >= _ROOM, "make room: features and DVC's cache need some")


def _compiled() -> Finding:
    off = bool(sys.flags.dont_write_bytecode)
    found = "every start compiles every module again" if off else "kept between starts"
    return Finding("compiled modules", found, not off, "unset PYTHONDONTWRITEBYTECODE: imports get three times faster")
