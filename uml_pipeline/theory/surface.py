"""How many auxiliary samples one target sample is worth in practice: a plane through measured accuracies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uml_pipeline.theory.designs import Matrix

RESAMPLES, LEVEL = 4000, 0.95


@dataclass(frozen=True)
class Surface:
    """`accuracy = a * target + b * auxiliary + c` by least squares, and the exchange rate (UML, sec. 4.4, E.4)."""

    a: float
    b: float
    c: float
    rate: float
    """Auxiliary samples that one target sample is worth, a / b; inf where auxiliary samples add nothing."""
    low: float
    high: float
    explained: float
    """Share of the accuracies' variance that the plane explains: a saturating surface is no plane."""
    span: float
    """How many auxiliary samples the grid varies by."""

    @property
    def extrapolates(self) -> bool:
        """Whether the rate, or its interval, speaks of more auxiliary samples than the grid has seen."""
        return bool(self.high > self.span)


def fit_surface(
    target: NDArray, auxiliary: NDArray, accuracy: NDArray, draw: NDArray | None = None, seed: int = 0
) -> Surface:
    """Fit the plane; 95 % interval of its rate by a bootstrap over draws.

    Args:
        target: target samples (a class, say) behind each accuracy, [row].
        auxiliary: auxiliary samples behind each accuracy, [row].
        accuracy: what was measured, [row].
        draw: which draw of samples each row is of, [row]; a draw's rows err together, so that draws are resampled. By
            default each row is one.
        seed: of the resampling.

    Raises:
        ValueError: too few rows for an interval, all of one draw, or on a line so that no plane is determined.
    """
    plane = np.column_stack([target, auxiliary, np.ones(len(accuracy))]).astype(np.float64)  # [row, 3]
    accuracy = accuracy.astype(np.float64)
    if len(accuracy) <= 2 * plane.shape[1]:
        raise ValueError(f"{len(accuracy)} rows are too few: a plane has three numbers")
    if not _determined(plane):
        raise ValueError("the rows lie on a line")
    members = np.unique(np.arange(len(accuracy)) if draw is None else draw, return_inverse=True)[1]
    if not members.any():
        raise ValueError("all rows are of one draw")
    slopes = np.linalg.lstsq(plane, accuracy, rcond=None)[0]
    low, high = _interval(plane, accuracy, members, seed)
    spread, rest = ((accuracy - accuracy.mean()) ** 2).sum(), ((accuracy - plane @ slopes) ** 2).sum()
    explained = 1 - rest / spread if spread > 0 else 1.0
    a, b, c = (float(value) for value in slopes)
    rate = a / b if b > 0 else np.inf
    return Surface(a, b, c, rate, low, high, float(explained), float(np.ptp(auxiliary)))


def _interval(plane: Matrix, accuracy: Matrix, members: NDArray[np.int64], seed: int) -> tuple[float, float]:
    draws = members.max() + 1
    counts = np.random.default_rng(seed).multinomial(draws, np.full(draws, 1 / draws), RESAMPLES)  # [resample, draw]
    weights = counts[:, members].astype(np.float64)  # [resample, row]
    shift, scale = plane.mean(0) * [1, 1, 0], np.append(np.ptp(plane[:, :2], axis=0), 1)
    even = (plane - shift) / scale  # so that 3 x 3 normal equations keep their digits
    products = (even[:, :, None] * even[:, None]).reshape(-1, 9)  # [row, 9]
    normal = (weights @ products).reshape(-1, 3, 3)
    kept = np.linalg.matrix_rank(normal, tol=1e-9, hermitian=True) == 3  # else the resampled rows lie on a line
    slopes = np.linalg.solve(normal[kept], (weights @ (even * accuracy[:, None]))[kept, :, None])[:, :, 0] / scale
    found = np.full(len(slopes), np.inf)
    np.divide(slopes[:, 0], slopes[:, 1], out=found, where=slopes[:, 1] > 0)
    # order statistics: between a number and inf nothing can be interpolated
    low = np.quantile(found, (1 - LEVEL) / 2, method="lower")
    high = np.quantile(found, (1 + LEVEL) / 2, method="higher")
    return float(low), float(high)


def _determined(plane: Matrix) -> bool:
    centred = plane[:, :2] - plane[:, :2].mean(0)
    scale = np.abs(centred).max(0)
    return bool((scale > 0).all() and np.linalg.matrix_rank(centred / scale, tol=1e-9) == 2)
