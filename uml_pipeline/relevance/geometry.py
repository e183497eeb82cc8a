"""Do two silos arrange their shared classes alike? Class geometry against permuted classes (docs/relevance.md)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from uml_pipeline.learn.geometry import Array, centre_of, means_of, standardise
from uml_pipeline.learn.statistics import Permutation, debiased_cka, mantel, u_centred

FEWEST_CLASSES = 8  # below, even perfect agreement hardly stands out from permutations
_HALVINGS = 5  # of each class's samples, to see how much of a geometry is noise
_MOST_NOISE = 0.5  # of CKA that may be lost to noise: below, the correction errs high, and varies
_FEWEST_HALVED = 4  # classes of two samples or more; HSIC_1 needs as many
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Geometry:
    """How each of two silos arranges the classes that both know."""

    shared: list[str]
    target: Array  # [class, class], inner products of class means
    silo: Array  # [class, class]
    reliable: float | None
    """Which share of CKA the noise of few samples a class leaves over; None where classes cannot be halved, or more
    than half is lost."""

    @property
    def cosines(self) -> tuple[Array, Array]:
        """The same for class means of length one: [class, class] twice."""
        return _cosines(self.target), _cosines(self.silo)


@dataclass(frozen=True, eq=False)
class Agreement:
    """How the classes that both silos know are arranged in each; no tests where they are too few."""

    shared: list[str]
    test: Permutation | None
    """Mantel's."""
    cka: Permutation | None = None
    """Debiased linear CKA of the class means."""
    geometry: Geometry | None = None

    @property
    def corrected(self) -> float | None:
        """CKA as it would be with many samples a class: 1 where nothing but noise tells the silos apart."""
        reliable = self.geometry.reliable if self.geometry else None
        return None if self.cka is None or reliable is None else min(1.0, self.cka.statistic / reliable)

    def evidence(self) -> dict[str, float | None]:
        """What a verdict keeps beside Mantel's test."""
        tested = (None, None) if self.cka is None else (self.cka.statistic, self.cka.p_value)
        return dict(zip(("cka", "cka_p_value", "cka_corrected"), (*tested, self.corrected), strict=True))


def agreement(target: tuple[pd.Series, Array], auxiliary: tuple[pd.Series, Array], permutations: int) -> Agreement:
    """Mantel test on the cosines of class means, and debiased CKA on their inner products.

    Each silo is seen in its own feature space, so nothing needs a common one; samples are never matched, only classes
    are compared. Each argument is a silo's labels [n] and features [n, d].
    """
    shared = sorted(set(target[0].dropna()) & set(auxiliary[0].dropna()))
    if len(shared) < FEWEST_CLASSES:
        return Agreement(shared, None)
    (g, ours), (h, theirs) = (_gram(*one, shared) for one in (target, auxiliary))
    reliable = float(np.sqrt(max(ours, 0) * max(theirs, 0)))
    geometry = Geometry(shared, g, h, reliable if reliable > _MOST_NOISE else None)
    return Agreement(shared, mantel(*geometry.cosines, permutations), debiased_cka(g, h, permutations), geometry)


def _gram(labels: pd.Series, x: Array, shared: list[str]) -> tuple[Array, float]:
    """Inner products of class means, seen from the samples' centre [class, class], and which share of them is no noise.

    Off the diagonal they are unbiased however few the samples: the noise of two classes is independent.
    """
    index = pd.Index(shared).get_indexer(pd.Index(labels))
    known = index >= 0
    x = x[known]
    x, index = standardise(x, centre_of(x)), index[known].astype(np.int64)
    means = means_of(x, index, len(shared))[0]
    return means @ means.T, _reliability(x, index, len(shared))


def _reliability(x: Array, index: Index, classes: int) -> float:
    """HSIC_1 between the geometries of independent halves of the samples, over that of the whole with itself.

    The means' noise inflates only the latter, so that CKA over the root of both silos' ratios is that of noiseless
    means. 0 where too few classes can be halved.
    """
    halved = np.flatnonzero(np.bincount(index, minlength=classes) > 1)
    if len(halved) < _FEWEST_HALVED:
        return 0.0
    kept = np.isin(index, halved)
    x, index = x[kept], np.searchsorted(halved, index[kept])
    draw, found = np.random.default_rng(0), []
    for _ in range(_HALVINGS):
        order = draw.permutation(len(x))
        half = order[pd.Series(index[order]).groupby(index[order]).cumcount().to_numpy() % 2 == 0]
        first, second = (means_of(x[rows], index[rows], len(halved))[0] for rows in (half, np.setdiff1d(order, half)))
        found.append((u_centred(first @ first.T) * u_centred(second @ second.T)).sum())
    means = means_of(x, index, len(halved))[0]
    whole = (u_centred(means @ means.T) ** 2).sum()
    return min(float(np.mean(found) / whole), 1.0) if whole > 0 else 0.0


def _cosines(gram: Array) -> Array:
    length = np.sqrt(np.maximum(np.diag(gram), np.finfo(np.float32).tiny))
    return (gram / length[:, None] / length).astype(np.float32)
