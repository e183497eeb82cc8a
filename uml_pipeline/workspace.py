"""Where every artifact lives, how it gets there whole, and how to tell that it is whole.

`artifacts/<stage>[/<silo>]` is complete only when its `fingerprint.json` is there: the sha256 of each of its files.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from uml_pipeline.errors import UserError

FINGERPRINT = "fingerprint.json"
SIGNATURE = f"{FINGERPRINT}.sig"  # of a model's folder, by whoever vouches for it: model/signature.py


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint_of(value: Any) -> str:
    """Hex digest of any JSON value, independent of the order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Pretty JSON with a final newline; NaN is refused, since no other reader would take it."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """The value that `write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def unlike_seal(folder: Path) -> dict[str, str]:
    """By file, what happened to a folder since it was sealed: `changed`, `removed` or `added`.

    Raises:
        ValueError: the seal is damaged.
    """
    sealed = read_json(folder / FINGERPRINT) if (folder / FINGERPRINT).is_file() else {}
    if not isinstance(sealed, dict):
        raise ValueError(f"{FINGERPRINT} is no table of hashes")
    there = _contents(folder)  # a stranger's seal may name any file of this machine: none but the folder's are read
    states = {name: "removed" for name in sealed if name not in there}
    for name, path in there.items():
        if name not in sealed:
            states[name] = "added"
        elif sha256(path) != sealed[name]:
            states[name] = "changed"
    return dict(sorted(states.items()))


def flush(paths: Iterable[Path]) -> None:
    """Force files and folders to disk."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


class Workspace:
    """The artifacts of one study."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "artifacts"

    def folder(self, stage: str, name: str | None = None) -> Path:
        """Where the artifact of a stage (and silo) is or will be; not checked."""
        return self.root / stage / name if name else self.root / stage

    def reading(self, stage: str, name: str | None = None) -> Path:
        """The folder of a complete artifact: DVC restores one file by file, so the seal alone does not say it.

        Raises:
            UserError: the stage has not run (to its end) yet.
        """
        folder = self.folder(stage, name)
        if not (folder / FINGERPRINT).is_file() or not all((folder / file).is_file() for file in _sealed(folder)):
            verb = f"uml {stage} {name}" if name else f"uml {stage}"
            raise UserError(
                f"artifact {folder.relative_to(self.root.parent)} is not there yet",
                where=str(folder),
                fix=f"make it: `{verb}`, or all: `uml run`",
            )
        return folder

    @contextmanager
    def writing(self, stage: str, name: str | None = None) -> Iterator[Path]:
        """An empty folder to fill: it becomes the artifact as a whole if the block ends well, else it vanishes."""
        final = self.folder(stage, name)
        final.parent.mkdir(parents=True, exist_ok=True)
        self.sweep(stage, name)
        draft = final.parent / f".{final.name}.{os.getpid()}.draft"
        draft.mkdir()
        try:
            yield draft
            seal(draft)
            _replace(draft, final)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def sweep(self, stage: str, name: str | None = None) -> None:
        """Remove what killed processes left of an artifact; the ledger, or DVC, keeps all others off it meanwhile."""
        final = self.folder(stage, name)
        for left in final.parent.glob(f".{final.name}.*"):
            if left.suffix in (".draft", ".old"):
                shutil.rmtree(left, ignore_errors=True)

    def version(self, stage: str, name: str | None = None) -> str:
        """One hash for the artifact's content."""
        return sha256(self.reading(stage, name) / FINGERPRINT)


def _sealed(folder: Path) -> list[str]:
    """The files that belong to an artifact; of a damaged seal one that is never there."""
    try:
        return list(read_json(folder / FINGERPRINT))
    except ValueError:
        return [f"damaged {FINGERPRINT}"]


def seal(folder: Path) -> None:
    """Write the fingerprint, and force everything to disk before the rename that makes it visible."""
    files = _contents(folder)
    write_json(folder / FINGERPRINT, {name: sha256(path) for name, path in files.items()})
    for path in files.values():
        path.chmod(0o644)  # safetensors leaves 0600, which a colleague or a server could not read
    flush([*files.values(), folder / FINGERPRINT, folder])


def _contents(folder: Path) -> dict[str, Path]:
    """What a seal is about: all files by their posix names below the folder, in order."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path for name, path in files.items() if name not in (FINGERPRINT, SIGNATURE)}


def _replace(draft: Path, final: Path) -> None:
    """Rename `draft` to `final`; an older artifact steps aside first and is removed last."""
    old = final.parent / f".{final.name}.{os.getpid()}.old"
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    draft.rename(final)
    shutil.rmtree(old, ignore_errors=True)
