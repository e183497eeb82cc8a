"""Files of numbers that a table lists: a row of a NumPy file, or one file a sample."""

from pathlib import Path
from typing import Any

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.samples._cells import numbers, row_number
from uml_pipeline.samples.arrays import read_row
from uml_pipeline.samples.table_files import read_table, require
from uml_pipeline.samples.table_numbers import matrix
from uml_pipeline.silo.config import SiloConfig

ARRAY_SUFFIXES = frozenset({".csv", ".npy", ".npz"})


def read_array_file(file: Path | bytes, place: str, config: SiloConfig) -> np.ndarray:
    """A sample of modality series or vector: row `place` of a .npz or .npy file; without a place the whole of a .npy
    file, or a CSV file of one row a step. May be called by several threads at once.

    Raises:
        UserError: the file is remote, damaged, or holds no such array.
    """
    if isinstance(file, bytes):
        raise UserError("arrays are read from local files only", where=config.path, fix="copy the silo to this machine")
    if file.suffix.lower() == ".csv":
        values: Any = _steps(file, config)
    elif file.suffix.lower() == ".npz":
        values = read_row(file, place, config.array)
    else:
        values = _array(file, place)
    return numbers(values, config.modality)


def _steps(file: Path, config: SiloConfig) -> np.ndarray:
    """float32 [step, channel]."""
    table = read_table(file, "csv", [], cells=True)
    require(table, file, [("sample", column) for column in config.columns or []])
    return matrix(table, config, config.columns or table.names, file)


def _array(file: Path, place: str) -> np.ndarray:
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
        return array[row_number(place, len(array), f"{file}#{place}")] if place else array
    except (OSError, ValueError, EOFError, TypeError) as error:
        raise UserError("not a readable array", where=f"{file}: {error}", fix="replace or remove the file") from None
