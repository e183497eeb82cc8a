"""Silos that Hugging Face `datasets` wrote with `save_to_disk`: one dataset, or one of each split."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from uml_pipeline.errors import UserError
from uml_pipeline.samples._cells import named, numbers, place_in, row_number
from uml_pipeline.samples._saved import Saved, load_saved
from uml_pipeline.samples.container import Container, Entry, Sample
from uml_pipeline.samples.tree import OUTSIDE
from uml_pipeline.silo.config import SiloConfig

_SPLIT = "split"
_ROWS = 1_000  # that `entries` holds at a time


class ArrowContainer(Container):
    """Rows of memory-mapped Arrow tables. The splits of a DatasetDict are the official ones, or else a column `split`.

    Images and sounds are handed on as they are stored: nothing is decoded, nothing outside the folder is opened.
    """

    def __init__(self, config: SiloConfig, source: Path) -> None:
        """Raises:
        UserError: not such a folder, a part of it is missing or damaged, or a column that the configuration names is.
        """
        super().__init__(config, source)
        if "://" in config.path:
            fix = "copy the folder to a local disk"
            raise UserError("a dataset in Arrow files must be memory-mapped", where=config.path, fix=fix)
        self._parts = load_saved(source)
        self._columns = {name: _columns(part, config) for name, part in self._parts.items()}

    def entries(self) -> Iterator[Entry]:
        """All rows of all splits in their order."""
        for name, part in self._parts.items():
            for row, (label, group, split, text) in enumerate(self._facts(part)):
                entry: Entry = {"path": f"{self.config.path}#{name}/{row}" if name else f"{self.config.path}#{row}"}
                if self.config.modality == "text":
                    words = (text or "").strip()
                    entry = {"text": words} if words else {"text": "", "bad": "empty text"}
                yield named(entry, label=label, group=group, split=name or split)

    def read(self, path: str) -> Sample:
        """The row: bytes or a file in the folder (image, audio), float32 (series, vector), or its cells (table)."""
        name, _, number = place_in(path, self.config).rpartition("/")
        if name not in self._parts:
            raise UserError("the split is not there", where=path, fix="run the stage `silo` again")
        part = self._parts[name]
        row = row_number(number, part.rows, path)
        cells = {column: part.cells(column, row, row + 1)[0] for column in self._columns[name]}
        if self.config.modality == "table":
            return cells
        (cell,) = cells.values()
        if self.config.modality in ("image", "audio"):
            return self._content(cell or {}, path)
        return numbers(cell, self.config.modality)

    def classes(self) -> set[str]:
        """The names of a ClassLabel column."""
        return {name for part in self._parts.values() for name in part.names.get(self.config.label or "", ())}

    def _facts(self, part: Saved) -> Iterator[tuple[Any, ...]]:
        """Label, group, split and text of each row."""
        text = self.config.text if self.config.modality == "text" else None
        columns = (self.config.label, self.config.group, _SPLIT if _SPLIT in part.kinds else None, text)
        for start in range(0, part.rows, _ROWS):
            stop = min(start + _ROWS, part.rows)
            yield from zip(*(part.cells(column, start, stop) for column in columns), strict=True)

    def _content(self, cell: dict[str, Any], where: str) -> bytes | Path:
        if cell.get("bytes") is not None:
            return cell["bytes"]
        fix = "save the dataset again where its files are"
        if not cell.get("path"):
            raise UserError(f"the row holds no {self.config.modality}", where=where, fix=fix)
        file = self.source / cell["path"]
        if not file.resolve().is_relative_to(self.source.resolve()):
            raise UserError(OUTSIDE, where=where, fix=fix)
        return file


def _columns(part: Saved, config: SiloConfig) -> list[str]:
    """The columns that are the sample.

    Raises:
        UserError: a column that the configuration names, or needs, is not there.
    """
    part.require(config.label, "label")
    part.require(config.group, "group")
    if config.modality == "text":
        return [part.one("text", config.text)]
    if config.modality in ("image", "audio"):
        return [part.one(config.modality, config.file if config.file in part.kinds else None)]
    if config.modality != "table":
        return [part.one(config.modality, config.array)]
    for name in config.columns or ():
        part.require(name, "table")
    others = (config.label, config.group, _SPLIT)
    return config.columns or [n for n, kind in part.kinds.items() if kind in ("cell", "text") and n not in others]
