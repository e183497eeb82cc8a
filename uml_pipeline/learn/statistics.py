"""Gains with intervals, and permutation tests: what may be called a difference."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES, LEVEL = 4000, 0.95


@dataclass(frozen=True)
class Gain:
    """A paired difference of accuracies in percentage points, with its bootstrap interval."""

    mean: float
    low: float
    high: float


def paired_gain(ours: NDArray, theirs: NDArray, counts: NDArray, seed: int = 0) -> Gain:
    """Mean accuracy difference, 95 % interval by a bootstrap over classes and episodes alike.

    Both are resampled independently (two-way bootstrap: Owen, 2007): classes are the population we generalise to, and
    samples of one episode share its draw.

    Args:
        ours: number of correct test samples, [episode, class].
        theirs: the same of the peer, on the same samples.
        counts: number of test samples, [episode, class].
        seed: of the resampling.
    """
    difference = (ours - theirs).astype(np.float64)
    episodes, classes = difference.shape
    draw = np.random.default_rng(seed)
    by_episode = draw.multinomial(episodes, np.full(episodes, 1 / episodes), RESAMPLES)  # [resample, episode]
    by_class = draw.multinomial(classes, np.full(classes, 1 / classes), RESAMPLES)  # [resample, class]
    total = ((by_episode @ difference) * by_class).sum(1)
    weight = ((by_episode @ counts) * by_class).sum(1)
    low, high = np.quantile(100 * total / np.maximum(weight, 1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Gain(100 * difference.sum() / counts.sum(), float(low), float(high))


@dataclass(frozen=True)
class Permutation:
    """A statistic, its values under permuted classes, and p = (1 + #{null >= statistic}) / (1 + #null)."""

    statistic: float
    null: NDArray[np.float64]

    @property
    def p_value(self) -> float:
        """Share of the null (and the observed value itself) at or above the statistic."""
        return float((1 + (self.null >= self.statistic).sum()) / (1 + len(self.null)))


def mantel(g: NDArray, h: NDArray, permutations: int, seed: int = 0) -> Permutation:
    """Correlation of two similarity matrices' off-diagonal entries (Mantel, 1967).

    The null permutes the classes of one. [class, class] twice; a matrix without spread gives 0.
    """
    classes = len(g)
    upper = np.triu_indices(classes, 1)
    a = _standard(g[upper])
    h = h.astype(np.float64)
    draw = np.random.default_rng(seed)

    def correlation(order: NDArray[np.int64]) -> float:
        return float(a @ _standard(h[np.ix_(order, order)][upper]) / len(a))

    observed = correlation(np.arange(classes))
    return Permutation(observed, np.array([correlation(draw.permutation(classes)) for _ in range(permutations)]))


def _standard(values: NDArray) -> NDArray[np.float64]:
    centred = values.astype(np.float64) - values.mean()
    # of equal values the mean differs by rounding, so that their spread need not be zero
    return centred / centred.std() if np.ptp(values) > 0 else np.zeros_like(centred)
