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
    return _summed(products(_of_length_one(_apart(g)), _of_length_one(_apart(h)), permutations, seed))


def debiased_cka(g: NDArray, h: NDArray, permutations: int, seed: int = 0) -> Permutation:
    """Linear CKA of two Gram matrices with the unbiased HSIC_1 (Song et al., 2012, eq. 5) in all three places.

    Near 0 for unrelated matrices however many dimensions they come from, so that it may be negative. Where `g` and `h`
    are inner products of class means, the diagonals, which alone hold the means' own noise, are not read.
    [class, class] twice, at least 4 classes; a matrix without structure gives 0.
    """
    return _summed(products(_of_length_one(u_centred(g)), _of_length_one(u_centred(h)), permutations, seed))


def u_centred(gram: NDArray) -> NDArray[np.float64]:
    """The matrix around its rows' and columns' means, its diagonal left out and zero: [class, class].

    The inner product of two such matrices is n (n - 3) HSIC_1 (Szekely and Rizzo, 2014): no shift of the origin that
    the Gram matrix was taken from changes it.
    """
    n = len(gram)
    apart = gram.astype(np.float64)
    np.fill_diagonal(apart, 0)
    means = apart.sum(1) / (n - 2)
    centred = apart - means[:, None] - means + means.sum() / (n - 1)
    np.fill_diagonal(centred, 0)
    return _without_rounding(centred, apart)


def products(a: NDArray, h: NDArray, permutations: int, seed: int = 0) -> NDArray[np.float64]:
    """Inner products of the rows of `a` with those of `h`, whose classes are permuted: [1 + permutation, class].

    The first are those of the classes as they are. What depends on features is never copied, only [class, class].
    """
    draw = np.random.default_rng(seed)
    orders = [np.arange(len(a)), *(draw.permutation(len(a)) for _ in range(permutations))]
    return np.array([np.einsum("ij,ij->i", a, h.take(order, 0).take(order, 1)) for order in orders])


def _summed(rows: NDArray[np.float64]) -> Permutation:
    total = rows.sum(1)
    return Permutation(float(total[0]), total[1:])


def _apart(similarity: NDArray) -> NDArray[np.float64]:
    """The entries off the diagonal around their mean; the diagonal is zero."""
    n = len(similarity)
    apart = similarity.astype(np.float64)
    np.fill_diagonal(apart, 0)
    centred = apart - apart.sum() / (n * (n - 1))
    np.fill_diagonal(centred, 0)
    return _without_rounding(centred, apart)


def _without_rounding(centred: NDArray, before: NDArray) -> NDArray:
    """Of equal values the mean differs by rounding: what is left of them is no structure."""
    return np.where(np.abs(centred).max() > 1e-9 * np.abs(before).max(), centred, 0)


def _of_length_one(matrix: NDArray) -> NDArray:
    length = np.linalg.norm(matrix)
    return matrix / length if length else matrix
