"""`builtin/table`: rows of numbers and categories as vectors, by what the training rows hold."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import Encoder, Spec, digest
from uml_pipeline.samples import Sample

_CATEGORIES = 50  # of a column, the most frequent
_FURTHEST = 100.0  # standard deviations: no single cell outweighs a whole row, nor overflows
_HUGE = 1e100  # beyond it squares overflow: counts as missing, as infinity does


class TableEncoder(Encoder):
    """Numbers standardised (missing ones are the median, and have a column of their own if the training rows lack
    any), categories one-hot. What the training rows do not know (a category, a column) gives zeros.
    """

    modality, chunk, fits = "table", 1024, True

    def __init__(self, spec: Spec) -> None:
        """`spec.fitted` holds one entry a column: `{mean, std, median, missing}` or `{categories}`."""
        self.name, self.fitted = spec.name, spec.fitted
        if spec.fitted is not None:
            self.dim = sum(_width(column) for column in spec.fitted.values())
            self.fingerprint = digest([b"table 1", json.dumps(spec.fitted, sort_keys=True).encode()])
            self.space = self.fingerprint  # a place means what this table's columns mean

    def fit(self, samples: Iterable[Sample]) -> dict[str, Any]:
        """See Encoder. A column is numeric if all its cells that are not missing are numbers.

        Raises:
            UserError: no rows, or no column with content.
        """
        rows = pd.DataFrame(cast(list[dict[str, object]], list(samples)), dtype=object)
        fitted = {name: _statistics(rows[name]) for name in sorted(rows.columns)}
        if not any(_width(column) for column in fitted.values()):
            fix = "correct `columns` of this silo in params.yaml, or its split"
            raise UserError("the training rows hold no cells", where=f"encoder: {self.name}", fix=fix)
        return fitted

    def prepare(self, samples: Sequence[Sample]) -> list[Tensor]:
        """See Encoder. The vectors themselves."""
        assert self.fitted is not None
        rows = cast(Sequence[dict[str, object]], samples)
        blocks = [_encode([row.get(name) for row in rows], column) for name, column in self.fitted.items()]
        return list(torch.from_numpy(np.concatenate(blocks, 1)))  # [row, dim]

    def size(self, shape: tuple[int, ...]) -> int:
        """See Encoder."""
        return self.chunk


def standardised(values: np.ndarray, mean: np.ndarray | float, std: np.ndarray | float) -> np.ndarray:
    """`values` [..., d] in standard deviations from the mean, at most 100 of them: float32. What is constant in
    training, or NaN, is 0.
    """
    with np.errstate(over="ignore"):  # it is cut anyway
        distances = (values - mean) / np.where(np.asarray(std) > 0, std, np.inf)
    return np.nan_to_num(np.clip(distances, -_FURTHEST, _FURTHEST)).astype(np.float32)


def _statistics(cells: "pd.Series[Any]") -> dict[str, Any]:
    present = cells.dropna()
    if not all(isinstance(cell, Real) for cell in present):
        counts = present.astype(str).value_counts().sort_index().sort_values(ascending=False, kind="stable")
        return {"categories": sorted(counts.index[:_CATEGORIES])}
    numbers = np.array([_number(cell) for cell in cells])
    known = np.sort(numbers[~np.isnan(numbers)])  # sums of floats depend on the order
    if not len(known):
        return {"categories": []}
    return {
        "mean": float(known.mean()),
        "std": float(known.std()) if known.min() < known.max() else 0.0,  # rounding would leave a little
        "median": float(np.median(known)),
        "missing": len(known) < len(numbers),
    }


def _width(column: Mapping[str, Any]) -> int:
    return len(column["categories"]) if "categories" in column else 1 + column["missing"]


def _encode(cells: list[Any], column: Mapping[str, Any]) -> np.ndarray:
    """[row, width of the column]."""
    if "categories" in column:
        names = [None if pd.isna(cell) else str(cell) for cell in cells]
        places = pd.Index(column["categories"], dtype=object).get_indexer(names)  # -1: not among them
        return (places[:, None] == np.arange(len(column["categories"]))).astype(np.float32)
    numbers = np.array([_number(cell) for cell in cells])
    missing = np.isnan(numbers)
    values = standardised(np.where(missing, column["median"], numbers), column["mean"], column["std"])
    return np.stack([values, missing.astype(np.float32)], 1)[:, : _width(column)]


def _number(cell: Any) -> float:
    """NaN where the cell is missing, or no number."""
    try:
        number = float(cell)
    except (OverflowError, TypeError, ValueError):
        return math.nan
    return number if abs(number) < _HUGE else math.nan
