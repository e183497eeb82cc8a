"""Image silos: one folder a class; a metadata.csv at the top may add label, group and official split."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import track

from uml_pipeline.errors import UserError
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.silo.images import SUFFIXES, read_image
from uml_pipeline.silo.manifest import sample_id
from uml_pipeline.silo.tables import Row, read_table, require, side_facts

METADATA = "metadata.csv"


def read(config: SiloConfig, root: Path) -> tuple[list[Row], list[str]]:
    """Manifest rows of all files, and the names of all classes, also of those whose folder is empty.

    The class is the label in metadata.csv, or else the name of the topmost folder.

    Raises:
        UserError: not a folder, or metadata.csv or one of its columns is missing or unreadable.
    """
    if not root.is_dir():
        fix = "correct `path` or `modality` in params.yaml"
        raise UserError("an image silo must be a folder, with one folder a class", where=str(root), fix=fix)
    notes = _read_metadata(config, root)
    names = sorted({*_walk(root), *notes})  # a file that only metadata.csv knows is a bad sample
    rows = []
    for name in track(names, "reading images", console=Console(stderr=True), transient=True):
        row: Row = {"path": (Path(config.path) / name).as_posix(), "label": _top(name)}
        rows.append(row | notes.get(name, {}) | _measure(root, name))
    folders = {entry.name for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False) and entry.name[0] != "."}
    labels = {row["label"] for row in rows if row["label"]}
    return rows, sorted(labels if any("label" in note for note in notes.values()) else labels | folders)


def _top(name: str) -> str | None:
    top, slash, _ = name.partition("/")
    return top if slash else None


def _walk(root: Path) -> Iterator[str]:
    """Files below `root` by their posix path. Hidden ones, and at the top all but images, are no samples."""
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]  # never followed: they may lead anywhere
        folders[:] = [name for name in folders if not name.startswith(".")]
        images = [name for name in files if here != root or Path(name).suffix.lower() in SUFFIXES]
        for name in images + links:
            if not name.startswith("."):
                yield (here / name).relative_to(root).as_posix()


def _measure(root: Path, name: str) -> Row:
    """`sample_id`, and width and height or what is bad about the file."""
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        return {"sample_id": sample_id(name.encode()), "bad": "leads out of the silo's folder"}
    if not path.is_file():
        return {"sample_id": sample_id(name.encode()), "bad": "not a file"}
    row: Row = {"sample_id": sample_id(path.read_bytes())}
    if path.suffix.lower() not in SUFFIXES:
        return row | {"bad": "unsupported file type"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about metadata: what counts are the pixels
            width, height = read_image(path).size
    except UserError as error:
        return row | {"bad": error.what}
    return row | {"width": width, "height": height}


def _read_metadata(config: SiloConfig, root: Path) -> dict[str, Row]:
    """What metadata.csv says about each file, by the file's posix path."""
    path = root / METADATA
    if path.is_file():
        table = read_table(path)
        require(table, path, file="file_name", group=config.group)
        labelled = "label" in table
        return {
            Path(line["file_name"]).as_posix(): side_facts(line, config)
            | ({"label": line["label"] or None} if labelled else {})
            for line in table.to_dict("records")
        }
    if config.group:
        fix = f"write {METADATA} with the columns file_name,{config.group}"
        raise UserError(f"`group: {config.group}` needs a {METADATA}", where=str(root), fix=fix)
    return {}
