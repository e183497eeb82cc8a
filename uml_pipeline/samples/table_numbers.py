"""Columns of a table as numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from uml_pipeline.errors import UserError
from uml_pipeline.samples.table_files import Table
from uml_pipeline.silo.config import SiloConfig


def cells_of_lists(table: Table, columns: list[str], file: Path) -> list[object] | None:
    """The cells of the one column that holds lists; None where no column does.

    Raises:
        UserError: several columns do.
    """
    lists = [column for column in columns if _holds_lists(table.frame[column])]
    if len(lists) > 1:
        fix = "name the one that is the sample as `columns` in params.yaml"
        raise UserError(f"several columns hold lists: {', '.join(lists)}", where=str(file), fix=fix)
    return table.frame[lists[0]].tolist() if lists else None


def matrix(table: Table, config: SiloConfig, columns: list[str], file: Path) -> np.ndarray:
    """Those of the columns that hold numbers, and all that the configuration names, as float32 [row, column]; NaN where
    a cell is missing or no number.

    A column with a few damaged cells is one of numbers all the same: those rows are bad, but no row lacks a column.

    Raises:
        UserError: no column holds numbers.
    """
    found = {column: _as_numbers(table.frame[column]) for column in columns}
    kept = [
        values
        for column, values in found.items()
        if config.columns or 2 * (~np.isnan(values)).sum() > table.frame[column].notna().sum()
    ]
    if not kept:
        fix = f"the columns are: {', '.join(table.names)}; name those that are the sample as `columns`"
        raise UserError("no column of numbers", where=str(file), fix=fix)
    return np.stack(kept, axis=1)


def _holds_lists(cells: "pd.Series[Any]") -> bool:
    filled = cells.dropna() if cells.dtype == object else cells[:0]
    return bool(len(filled)) and isinstance(filled.iloc[0], list | np.ndarray)


def _as_numbers(cells: "pd.Series[Any]") -> np.ndarray:
    """float32 [row]."""
    if pd.api.types.is_datetime64_any_dtype(cells.dtype) or pd.api.types.is_timedelta64_dtype(cells.dtype):
        return np.full(len(cells), np.nan, np.float32)  # pandas would count nanoseconds
    values = pd.to_numeric(cells, errors="coerce")
    with np.errstate(over="ignore"):  # infinite then, for the encoder to judge
        return values.to_numpy(np.float32, na_value=np.nan)
