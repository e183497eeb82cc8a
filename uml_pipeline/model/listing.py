"""From what is typed in a shell to the samples it names: folders, files, tables' rows, texts."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from uml_pipeline.errors import UserError
from uml_pipeline.model.unimodal import UnimodalModel
from uml_pipeline.samples import Container, Entry, Sample, open_container
from uml_pipeline.samples.files import read_bytes
from uml_pipeline.samples.folder import SUFFIXES
from uml_pipeline.silo.config import Modality, SiloConfig

_TABLES = frozenset({".csv", ".tsv", ".parquet", ".jsonl", ".ndjson"})
_ROWS = {"table": _TABLES, "vector": _TABLES | {".npz"}, "series": _TABLES | {".npz"}, "text": _TABLES}
_ONES = SUFFIXES | {"text": frozenset({".txt"})}  # files that are one sample


@dataclass(frozen=True)
class Named:
    """A sample that is opened when it is needed."""

    name: str
    open: Callable[[], Sample]
    """Raises UserError where it cannot be read."""


def listed(words: Sequence[str], model: UnimodalModel) -> list[Named]:
    """The samples, in the order of the words. A folder gives its files of the modality, however deep; a table its rows
    (texts: its column `text`); a .txt file, or a word that is no file, is a text.

    Raises:
        UserError: there is no such file, it is no table for this model, or no sample was found.
    """
    modality: Modality = model.modality
    wanted = _ONES.get(modality, frozenset()) | _ROWS.get(modality, frozenset())
    found: list[Named] = []
    for word in words:
        for name in _inside(word, wanted) if os.path.isdir(word) else [word]:  # noqa: PTH112 - Path raises for texts
            found += _samples(name, modality, model)
    if not found:
        fix = f"name files of the types {', '.join(sorted(wanted))}, or a folder that holds some"
        raise UserError("there is nothing to recognise", where=" ".join(words), fix=fix)
    return found


def _inside(folder: str, wanted: frozenset[str]) -> Iterator[str]:
    """Its files of those types in order, but nothing hidden, and nothing behind linked folders."""
    for above, below, files in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(files):
            if Path(name).suffix.lower() in wanted and not name.startswith("."):
                yield os.path.join(above, name)  # noqa: PTH118 - as it was typed


def _samples(name: str, modality: Modality, model: UnimodalModel) -> list[Named]:
    suffix, there = Path(name).suffix.lower(), os.path.isfile(name)  # noqa: PTH113 - Path raises for texts
    if modality == "text" and not (there and suffix in _ONES["text"] | _TABLES):
        return [Named(name, lambda: name)]
    if not there:
        raise UserError("no such file", where=name, fix="correct the name; a folder is searched for its files")
    if suffix in _ROWS.get(modality, ()):
        return _rows(name, modality, model)
    if modality == "text":
        return [Named(name, partial(_text, Path(name)))]
    if modality in _ONES:
        return [Named(name, lambda: Path(name))]
    fix = f"name a file of the types {', '.join(sorted(_ROWS[modality]))}"
    raise UserError(f"no file of {modality} samples", where=name, fix=fix)


def _rows(file: str, modality: Modality, model: UnimodalModel) -> list[Named]:
    """All rows of a table, by file and number. Columns that the model does not know do no harm."""
    container = open_container(SiloConfig(modality=modality, path=file, encoder="", label=None), Path())
    entries = list(container.entries())
    if modality == "table" and entries:
        _require_column(file, container.read(entries[0]["path"]), model)
    return [Named(f"{file}#{row}", partial(_row, container, entry)) for row, entry in enumerate(entries)]


def _row(container: Container, entry: Entry) -> Sample:
    if bad := entry.get("bad"):
        raise UserError(bad, where=str(container.source), fix="correct the row, or remove it")
    return entry["text"] if "text" in entry else container.read(entry["path"])


def _text(file: Path) -> str:
    content, where = read_bytes(file)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise UserError("the text is not UTF-8", where=f"{where}: {error}", fix="save it as UTF-8") from None


def _require_column(file: str, row: Sample, model: UnimodalModel) -> None:
    known = model.config["encoder"].get("fitted") or {}
    if known and not known.keys() & cast(dict[str, object], row).keys():
        fix = f"give it the columns that the model learnt from: {', '.join(known)}"
        raise UserError("the table has no column that the model knows", where=file, fix=fix)
