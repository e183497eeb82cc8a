"""`builtin/series`: nine statistics of every channel of a time series of any length."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import Encoder, Spec, digest
from uml_pipeline.features.tabular import standardised
from uml_pipeline.samples import Sample


class SeriesEncoder(Encoder):
    """Level (mean, first, last), range (std, min, max), roughness (mean absolute change from step to step), trend
    (least-squares slope a step) and memory (autocorrelation at lag 1) of every channel, standardised by the training
    series. Steps that are NaN are left out; what a series is too short for is at the training mean.
    """

    modality, chunk, fits, sequential = "series", 64, True, True

    def __init__(self, spec: Spec) -> None:
        """`spec.fitted` holds `mean` and `std` [channel][statistic]."""
        self.name, self.fitted = spec.name, spec.fitted
        if spec.fitted is not None:
            self._mean, self._std = np.array(spec.fitted["mean"]), np.array(spec.fitted["std"])
            self.dim = self._mean.size
            self.fingerprint = digest([b"series 1", json.dumps(spec.fitted, sort_keys=True).encode()])
            self.space = self.fingerprint  # a place means what this silo's channels mean

    def fit(self, samples: Iterable[Sample]) -> dict[str, Any]:
        """See Encoder.

        Raises:
            UserError: no series, or series of different numbers of channels.
        """
        rows: list[np.ndarray] = []
        for sample in samples:
            series = cast(np.ndarray, sample)
            rows.append(self._of(series, rows[0].shape[0] if rows else series.shape[1]))
        if not rows:
            fix = "correct the silo's split: `train` has no series"
            raise UserError("there are no training series", where=f"encoder: {self.name}", fix=fix)
        table = pd.DataFrame(np.stack(rows).reshape(len(rows), -1))  # its mean and std leave NaN out
        std = table.std(ddof=0).where(table.min() < table.max(), 0.0)  # rounding would leave a little
        shape = rows[0].shape
        return {
            "mean": table.mean().fillna(0.0).to_numpy().reshape(shape).tolist(),
            "std": std.to_numpy().reshape(shape).tolist(),
        }

    def prepare(self, samples: Sequence[Sample]) -> list[Tensor]:
        """See Encoder. The vectors themselves.

        Raises:
            UserError: a series has another number of channels than those of the training.
        """
        series = (self._of(cast(np.ndarray, sample), len(self._mean)) for sample in samples)
        return [torch.from_numpy(standardised(one, self._mean, self._std).reshape(-1)) for one in series]

    def sequences(self, samples: Sequence[Sample]) -> list[Tensor]:
        """See Encoder. The series as they are, NaN where a step is not known; one without any step has one of NaN.

        Raises:
            UserError: a series has another number of channels than those of the training.
        """
        return [torch.tensor(self._steps(cast(np.ndarray, sample))) for sample in samples]

    def size(self, shape: tuple[int, ...]) -> int:
        """See Encoder."""
        return self.chunk

    def _of(self, series: np.ndarray, channels: int) -> np.ndarray:
        self._check(series, channels)
        return statistics(series)

    def _steps(self, series: np.ndarray) -> np.ndarray:
        self._check(series, len(self._mean))
        known = np.where(np.isfinite(series), series, np.nan).astype(np.float32)
        return known if len(known) else np.full((1, series.shape[1]), np.nan, np.float32)

    def _check(self, series: np.ndarray, channels: int) -> None:
        if series.shape[1] != channels:
            what = f"a series has {series.shape[1]} channels, the training series have {channels}"
            raise UserError(what, where=f"encoder: {self.name}", fix="remove the series, or correct `columns`")


def statistics(series: np.ndarray) -> np.ndarray:
    """[step, channel] to float64 [channel, 9]: mean, std, min, max, first, last, mean absolute change, slope, memory.
    NaN where there are too few steps, or where nothing ever changes (memory). NaN and infinite steps are left out.
    """
    x = series.astype(np.float64) if len(series) else np.full((1, series.shape[1]), np.nan)
    known = np.isfinite(x)
    both = known[1:] & known[:-1]  # steps with a step before them
    time = np.where(known, np.arange(len(x))[:, None], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):  # NaN is meant
        steps, pairs = known.sum(0), both.sum(0)
        mean = np.where(known, x, 0).sum(0) / steps
        around = np.where(known, x - mean, 0)
        square = (around**2).sum(0)
        square = np.where(np.ptp(np.where(known, x, mean), 0) > 0, square, 0)  # rounding would leave a little
        later = np.where(known, time - time.sum(0) / steps, 0)
        change = np.where(both, np.abs(np.diff(around, axis=0)), 0).sum(0) / pairs
        slope = (later * around).sum(0) / (later**2).sum(0)
        memory = np.where(both, around[1:] * around[:-1], 0).sum(0) / square
    columns = np.arange(x.shape[1])
    first, last = known.argmax(0), len(x) - 1 - known[::-1].argmax(0)
    ends = [np.where(known, x, np.inf).min(0), np.where(known, x, -np.inf).max(0), x[first, columns], x[last, columns]]
    table = np.stack([mean, np.sqrt(square / np.maximum(steps, 1)), *ends, change, slope, memory], 1)
    return np.where(np.isfinite(table) & (steps > 0)[:, None], table, np.nan)
