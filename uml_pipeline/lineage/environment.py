"""What made a model besides its data: code and packages."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from uml_pipeline.pipeline import Stage
from uml_pipeline.workspace import fingerprint_of, sha256

PACKAGES = ("torch", "numpy", "timm", "transformers", "dagster", "dvc", "uml-pipeline")
_SOURCES = {".py", ".html", ".css", ".js", ".safetensors"}


def code_version(room: str) -> str:
    """Hash of a room's source files in the installed package: names and bytes, in no particular order."""
    folder = Path(__file__).parent.parent / room
    if not folder.is_dir():
        raise ValueError(f"no room {room!r} in {folder.parent}")
    files = (path for path in folder.rglob("*") if path.suffix in _SOURCES and "__pycache__" not in path.parts)
    return fingerprint_of({path.relative_to(folder).as_posix(): sha256(path) for path in files})


def code_of(stage: Stage) -> str:
    """Hash of all source files that a stage depends on."""
    if not stage.code:
        return code_version(stage.name)
    return fingerprint_of({room: code_version(room) for room in (stage.name, *stage.code)})


def packages() -> dict[str, str | None]:
    """Installed versions; None: not installed."""
    return {name: _installed(name) for name in PACKAGES}


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
