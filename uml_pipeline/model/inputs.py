"""What callers have, as samples: paths, contents, pictures, texts, arrays, tables."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from PIL import Image

from uml_pipeline.errors import UserError
from uml_pipeline.features.samples import Lazy
from uml_pipeline.samples import Sample
from uml_pipeline.samples._cells import numbers
from uml_pipeline.samples.content import lack
from uml_pipeline.samples.table_files import Table
from uml_pipeline.samples.table_rows import rows_of
from uml_pipeline.silo.config import Modality, SiloConfig

_DIMS = {"image": 4, "vector": 2, "series": 3}  # of an array that holds several samples
_COLUMNS: dict[Modality, str] = {"image": "path", "audio": "path", "text": "text"}
_FIX: dict[Modality, str] = {
    "image": "give paths, contents of files, PIL images, or uint8 arrays [height, width, 3]",
    "audio": "give paths, or contents of files",
    "text": "give strings",
    "table": "give a DataFrame, or dicts of cells by column",
    "series": "give arrays [step, channel]",
    "vector": "give an array [sample, d]",
}


def samples_of(given: Any, modality: Modality) -> Sequence[Sample]:
    """Several samples of a modality, each made when it is asked for. `given`: a list, an array, a Series or a DataFrame
    (of tables its rows, of vectors its numbers, else its column `path` or `text`).

    Raises:
        UserError: it is a single sample, or a DataFrame without that column. Asking raises it where one is no sample,
            or an empty one.
    """
    if isinstance(given, pd.DataFrame):
        given = _rows(given, modality)
    if isinstance(given, Lazy):
        return Given(given, modality, lambda sample: sample)
    if _is_single(given, modality):
        fix = "put a single one into a list: `model.predict([sample])`"
        raise UserError("these are not several samples", where=type(given).__name__, fix=fix)
    return Given(given.tolist() if isinstance(given, pd.Series) else given, modality, _MAKE[modality])


class Given(Lazy):
    """Samples made of what a caller has."""

    def __init__(self, given: Sequence[Any], modality: Modality, make: Callable[[Any], Sample]) -> None:
        self._given, self._modality, self._make = given, modality, make

    def __len__(self) -> int:
        return len(self._given)

    def one(self, at: int) -> Sample:
        """See Lazy."""
        sample = self._make(self._given[at])
        if what := lack(sample, self._modality):
            raise UserError(what, where=f"sample {at} of those given", fix="remove it: nothing can be recognised in it")
        return sample


class _Rows(Lazy):
    """The rows of a DataFrame, each cell as a table's file would have it."""

    def __init__(self, frame: pd.DataFrame) -> None:
        named = frame.rename(columns=str)
        config = SiloConfig(modality="table", path="", encoder="", label=None)
        self._rows = rows_of(Table(list(named.columns), named), config, Path("DataFrame"))
        self._length = len(frame)

    def __len__(self) -> int:
        return self._length

    def one(self, at: int) -> Sample:
        """See Lazy."""
        return self._rows.read(str(at))


def _rows(frame: pd.DataFrame, modality: Modality) -> Any:
    if modality == "table":
        return _Rows(frame)
    if modality == "vector":
        return frame.to_numpy()
    column = _COLUMNS.get(modality)
    if column is None or column not in frame:
        where = f"DataFrame with the columns {', '.join(map(str, frame.columns))}"
        fix = f"call its column of samples {column!r}" if column else _FIX[modality]
        raise UserError(f"the DataFrame has no samples of modality {modality}", where=where, fix=fix)
    return frame[column]


def _is_single(given: Any, modality: Modality) -> bool:
    if isinstance(given, np.ndarray):
        return given.ndim < (1 if given.dtype == object else _DIMS.get(modality, 1))
    return isinstance(given, str | bytes | dict) or not hasattr(given, "__len__")


def _no_sample(one: object, modality: Modality) -> UserError:
    return UserError(f"{type(one).__name__} is no {modality}", where="a sample", fix=_FIX[modality])


def _image(one: Any) -> Sample:
    if isinstance(one, Image.Image):
        return cast(Sample, one)  # `read_image` takes it
    if isinstance(one, np.ndarray) and one.dtype == np.uint8 and one.ndim in (2, 3):
        return cast(Sample, Image.fromarray(one))
    return _file(one, "image")


def _file(one: Any, modality: Modality) -> Sample:
    if isinstance(one, str):
        return Path(one)
    if isinstance(one, Path | bytes):
        return one
    raise _no_sample(one, modality)


def _text(one: Any) -> Sample:
    if not isinstance(one, str):
        raise _no_sample(one, "text")
    return str(one)


def _row(one: Any) -> Sample:
    if not isinstance(one, dict):
        raise _no_sample(one, "table")
    return one


_MAKE: dict[Modality, Callable[[Any], Sample]] = {
    "image": _image,
    "audio": lambda one: _file(one, "audio"),
    "text": _text,
    "table": _row,
    "series": lambda one: numbers(one, "series"),
    "vector": lambda one: numbers(one, "vector"),
}
