"""Silos of NumPy arrays in one .npz file, and rows of such files that a table names."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.samples._cells import named, place_in, row_number
from uml_pipeline.samples._npz import Arrays, Rows, read_rows
from uml_pipeline.samples.container import Container, Entry
from uml_pipeline.silo.config import SiloConfig

_LABELS = ("label", "y", "labels")  # what an array of labels is usually called
_KEPT = 4  # files that a table names, in memory at a time
_LOCK = Lock()


class ArraysContainer(Container):
    """Vectors [sample, dim] or series [sample, step, channel] of one array, kept in memory.

    Beside it may be 1-d arrays: labels, a group, `split`; and of series `lengths` without the padding, or `offsets` at
    which each begins in an array [step of all samples, channel].
    """

    def __init__(self, config: SiloConfig, source: Path) -> None:
        """Raises:
        UserError: no such file, or it does not have what the configuration names.
        """
        super().__init__(config, source)
        if config.modality not in ("vector", "series"):
            fix = "correct `modality` in params.yaml"
            raise UserError("an .npz file holds vectors or series", where=str(source), fix=fix)
        self._arrays = Arrays(source)
        self._rows = read_rows(self._arrays, config.array, config.modality)

    def entries(self) -> Iterator[Entry]:
        """All rows in their order."""
        split = "split" if "split" in self._arrays.names else None
        columns = [self._column(name) for name in (self._label(), self.config.group, split)]
        for row, (label, group, side) in enumerate(zip(*columns, strict=True)):
            entry: Entry = {"path": f"{self.config.path}#{row}"}
            if fault := self._rows.fault(row):
                entry["bad"] = fault
            yield named(entry, label=label, group=group, split=side)

    def read(self, path: str) -> np.ndarray:
        """The row, float32 [dim] or [step, channel]."""
        return self._rows.read(row_number(place_in(path, self.config), len(self._rows), path))

    def _label(self) -> str | None:
        if self.config.label != "label":
            return self.config.label
        return next((name for name in _LABELS if name in self._arrays.names), "label")

    def _column(self, name: str | None) -> list[object]:
        return self._arrays.column(name, len(self._rows)) if name else [None] * len(self._rows)


def read_row(file: Path, place: str, array: str | None) -> np.ndarray:
    """Row `place` of an .npz file, of that array or of the only one of samples: float32 [dim], or [step, channel]
    of a series. May be called by several threads at once; the files used last stay in memory.

    Raises:
        UserError: no such file or row, or it is damaged.
    """
    try:
        state = file.stat()
    except OSError as error:
        raise UserError("no such file", where=f"{file}: {error}", fix="correct the path") from None
    with _LOCK:  # a file is loaded once, however many threads begin with it
        rows = _load(file, array, (state.st_mtime_ns, state.st_size))
    if isinstance(rows, UserError):
        raise UserError(rows.what, where=rows.where, fix=rows.fix)
    return rows.read(row_number(place, len(rows), f"{file}#{place}"))


@lru_cache(_KEPT)
def _load(file: Path, array: str | None, state: tuple[int, int]) -> Rows | UserError:
    """`state` is what a changed file has another of."""
    try:
        return read_rows(Arrays(file), array)
    except UserError as error:  # kept too: each of its rows would load it again
        return error
