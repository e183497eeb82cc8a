"""Is this machine fit? Python, packages, cores, memory, disk, GPU, git, and the way to the model hub."""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from uml_pipeline.extras import EXTRAS
from uml_pipeline.features.hub_reach import unreachable
from uml_pipeline.workers import cores

_TRIPLE = {"torchvision": (0, 15), "torchaudio": (2, 0)}  # their release that goes with torch 2.0; minors run in step
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
    """torch, torchvision and torchaudio are built for each other: a mixture fails to import."""
    torch = _version("torch")
    found = {name: _version(name) for name in ("torch", *_TRIPLE)}
    said = ", ".join(f"{name} {one}" for name, one in found.items() if one) or "no torch"
    fits = torch is not None and all(
        one is None or _fits(name, one, torch) for name, one in found.items() if name in _TRIPLE
    )
    return Finding("torch", said, fits, "install the three of one release, such as 2.11.0, 0.26.0 and 2.11.0")


def _fits(name: str, one: str, torch: str) -> bool:
    major, minor = _TRIPLE[name]
    return _numbers(one) == (major, minor + _numbers(torch)[1])


def _numbers(text: str) -> tuple[int, int]:
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


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


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
