"""Rows of a table as samples: cells, vectors and series."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from uml_pipeline.errors import UserError
from uml_pipeline.samples._cells import numbers, row_number
from uml_pipeline.samples.container import Entry, Sample
from uml_pipeline.samples.table_files import Table, require, row_entries, sides
from uml_pipeline.samples.table_numbers import cells_of_lists, matrix
from uml_pipeline.silo.config import SiloConfig


def rows_of(table: Table, config: SiloConfig, file: Path) -> "Rows":
    """The table's rows as samples of the silo's modality.

    Raises:
        UserError: a column of the configuration is not there, or none can be the sample.
    """
    if config.modality == "table":
        return CellRows(table, config, file)
    if config.modality == "series" and config.series:
        return StepRows(table, config, file)
    return NumberRows(table, config, file)


class Rows(ABC):
    """The samples of a table, each with a name in it: here, the number of its row."""

    def __init__(self, table: Table, config: SiloConfig, file: Path) -> None:
        """Raises UserError as `rows_of` does."""
        require(table, file, [("label", config.label), ("group", config.group), ("series", config.series)])
        require(table, file, [("sample", column) for column in config.columns or []])
        self._table, self._config, self._file = table, config, file
        parts = {config.label, config.group, config.series, "split"}
        others = [name for name in table.names if name not in parts and not name.startswith("Unnamed: ")]
        self._columns = config.columns or others  # a column without a name counts rows: no fact about them
        if not self._columns:
            fix = f"the columns are: {', '.join(table.names)}; add those that are the sample"
            raise UserError("no column is left to be the sample", where=str(file), fix=fix)

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """Names of all samples, and what the table says of them."""
        for row, entry in enumerate(row_entries(self._table, self._config)):
            yield str(row), entry

    @abstractmethod
    def read(self, name: str) -> Sample:
        """The sample of that name.

        Raises:
            UserError: there is none, or it is no good.
        """

    def _row(self, name: str) -> int:
        return row_number(name, len(self._table.frame), f"{self._file}, row {name}")


class CellRows(Rows):
    """Modality table: one cell a column."""

    def __init__(self, table: Table, config: SiloConfig, file: Path) -> None:
        """See Rows."""
        super().__init__(table, config, file)
        self._cells = {column: _quick(table.frame[column]) for column in self._columns}

    def read(self, name: str) -> Sample:
        """See Rows."""
        row = self._row(name)
        return {column: _plain(cells[row]) for column, cells in self._cells.items()}


class NumberRows(Rows):
    """Modality vector: the numbers of a row, or the list in its only cell. Modality series: the same, one step each and
    a single channel, and a row may end early; or a list of steps that are lists of channels.
    """

    def __init__(self, table: Table, config: SiloConfig, file: Path) -> None:
        """See Rows."""
        super().__init__(table, config, file)
        lists = cells_of_lists(table, self._columns, file)
        self._values = matrix(table, config, self._columns, file) if lists is None else lists

    def read(self, name: str) -> Sample:
        """See Rows."""
        modality = self._config.modality
        values: Any = self._values[self._row(name)]
        if isinstance(self._values, list):
            values = _of_list(values, modality)
        elif modality == "series":
            values = _without_end(values)
        return numbers(values, modality)


class StepRows(Rows):
    """Modality series, one row a step: a sample is all rows, in order, with the same name in the column `series`."""

    def __init__(self, table: Table, config: SiloConfig, file: Path) -> None:
        """See Rows."""
        super().__init__(table, config, file)
        self._values = matrix(table, config, self._columns, file)
        codes, names = pd.factorize(np.array(table.words(config.series or ""), object))
        ends = np.cumsum(np.bincount(codes, minlength=len(names)))[:-1]
        steps = np.split(np.argsort(codes, kind="stable"), ends)
        self._steps = dict(zip(names, steps, strict=False))  # of no rows `split` still makes one part

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """See Rows."""
        parts = sides(self._table, self._config)
        for name, steps in self._steps.items():
            entry: Entry = {}
            for part, words in parts.items():
                values = {words[step] for step in steps.tolist()}
                entry[part] = words[steps[0]]
                if len(values) > 1:
                    entry["bad"] = f"its {part} changes"
            yield name, entry if name else {"bad": "no series"}

    def read(self, name: str) -> Sample:
        """See Rows."""
        if name not in self._steps:
            fix = "run the stage `silo` again"
            raise UserError("the series is not there", where=f"{self._file}, series {name}", fix=fix)
        return numbers(self._values[self._steps[name]], self._config.modality)


def _of_list(cell: object, modality: str) -> object:
    """The content of a cell as nested lists; of a series without channels, as one with one channel."""
    if isinstance(cell, np.ndarray):
        cell = list(cell)  # Arrow nests arrays in an array
    if modality == "series" and isinstance(cell, list) and not any(isinstance(one, list | np.ndarray) for one in cell):
        return [[step] for step in cell]
    return cell


def _without_end(values: np.ndarray) -> np.ndarray:
    """[step] to [step, 1] up to the last that is a number."""
    known = np.flatnonzero(~np.isnan(values))
    return values[: known[-1] + 1 if len(known) else 0, None]


def _quick(cells: "pd.Series[Any]") -> np.ndarray:
    """A column that gives single cells at once; pandas takes a hundred times as long."""
    whole = pd.api.types.is_numeric_dtype(cells.dtype) and not cells.hasnans
    return cells.to_numpy() if whole else cells.to_numpy(object)


def _plain(cell: object) -> object:
    """A cell as text, a number, True or False; None where it is missing."""
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, float):
        return None if math.isnan(cell) else cell
    if isinstance(cell, bool | int | str):
        return cell
    if isinstance(cell, Decimal):
        return _plain(float(cell))
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return None
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)  # a datetime is a date
