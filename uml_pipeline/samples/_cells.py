"""Cells of containers as the manifest and the encoders take them, and rows by their number in a path."""

from typing import Any

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.samples.container import Entry
from uml_pipeline.silo.config import SiloConfig

_DIMS = {"series": 2, "vector": 1}


def name_of(value: object) -> str | None:
    """A label, group or split as a name; None where there is none.

    Raises:
        ValueError: a number with a fraction, a list, or text that is not Unicode.
    """
    if isinstance(value, bytes):
        value = value.decode()
    if value is None or value == "":
        return None
    if not isinstance(value, str | int | np.integer | np.bool_):
        raise ValueError(f"{type(value).__name__} is no name")
    str(value).encode()  # lone surrogates cannot be written to a manifest
    return str(value)


def named(entry: Entry, **facts: object) -> Entry:
    """`entry` with those facts (label, group, split) that have a value, by their names; `bad` if one has no name."""
    for part, value in facts.items():
        try:
            name = name_of(value)
        except ValueError:
            return entry | {"bad": f"its {part} is not a name"}
        if name is not None:
            entry = entry | {part: name}
    return entry


def numbers(values: Any, modality: str) -> np.ndarray:
    """A sample of modality series as float32 [step, channel], of modality vector as float32 [dim]; not finite numbers
    stay as they are, None is NaN.

    Raises:
        UserError: not such an array of numbers, or it is empty.
    """
    try:
        if isinstance(values, np.ndarray) and values.dtype.kind not in "biuf":
            raise TypeError(values.dtype)  # NumPy would make numbers of words and dates
        with np.errstate(over="ignore"):  # infinite then, for the encoder to judge
            array = np.asarray(values, np.float32)
    except (TypeError, ValueError):
        raise _unfit(f"the {modality} is not an array of numbers") from None
    if array.ndim != _DIMS[modality]:
        raise _unfit(f"the {modality} has not {_DIMS[modality]} dimensions")
    if not array.size:
        raise _unfit(f"the {modality} is empty")
    return array


def place_in(path: str, config: SiloConfig) -> str:
    """What `path` says after the silo's own path: `17` of `data/rows.npz#17`.

    Raises:
        UserError: it is no path in this silo.
    """
    start = f"{config.path}#"
    if not path.startswith(start):
        raise UserError("the path is not in this silo", where=path, fix=f"samples of it begin with {start}")
    return path.removeprefix(start)


def row_number(place: str, rows: int, where: str) -> int:
    """`place` as the number of one of so many rows.

    Raises:
        UserError: there is no such row.
    """
    number = int(place) if place.isascii() and place.isdecimal() and len(place) < 20 else rows
    if number >= rows:
        raise UserError("the row is not there", where=where, fix=f"there are {rows} rows; run the stage `silo` again")
    return number


def _unfit(what: str) -> UserError:
    return UserError(what, where="inside its container", fix="correct `modality` or `array`, or remove the sample")
