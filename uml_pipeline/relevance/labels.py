"""How many of a silo's labels look wrong? Judged within the silo: no target, no test split.

A wrong label has nothing to do with its sample, so among all other classes it may stand anywhere when they are ordered
by their likeness to the sample. A right one stands first, or, where classes are hard to tell apart, close behind. What
stands in the far half is twice over the share of wrong labels: hard classes and wrong labels are not confounded, as
they are where every disagreement with a classifier counts (confident learning: Northcutt et al., 2021). The estimate
is Storey's (2002) of a share of true null hypotheses, the rank of the given label being the p-value.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from uml_pipeline.learn.geometry import Array, centre_of, standardise

FEWEST_CLASSES, FEWEST_SAMPLES = 5, 3  # the latter a class
TOLERATED = 0.05  # share of wrong labels that the interval must exclude to raise an alarm
_FAR, _FARTHEST = 0.5, 0.75  # parts of the classes: the estimate, and its lower end, which hard classes reach less
_SURE = 0.8  # of the samples called suspicious, this share has a wrong label, if the estimate holds
_LEVEL = 0.95
_MIXED, _FEW, _NAMED = 1 / 3, 5, 3  # of a class: share and number that look like one other; such classes told
_AT_ONCE = 4096  # samples whose scores wait


@dataclass(frozen=True)
class Mixed:
    """Many samples of `given` look like `looks`: labelled wrongly in one direction, or hard to tell apart."""

    given: str
    looks: str
    samples: int
    of: int


@dataclass(frozen=True, eq=False)
class LabelNoise:
    """Share of labels that look wrong, as if they had been drawn at random, with its 95 % interval."""

    share: float
    low: float
    high: float
    mixed: list[Mixed]
    suspicious: pd.DataFrame
    """Index of the sample's row, `looks` (the class that it is most like) and `score` (the share of classes that it is
    more like than its own)."""

    @property
    def alarming(self) -> bool:
        """Whether more labels look wrong than any silo may have."""
        return self.low > TOLERATED

    def reasons(self) -> list[str]:
        """What a person should know about it; nothing where the labels look right."""
        said = []
        if self.alarming:
            share, low, high = (round(100 * one) for one in (self.share, self.low, self.high))
            said.append(f"about {share}% of its labels look wrong (95% interval {low} to {high})")
        return said + [
            f"{one.samples} of {one.of} samples of {one.given!r} look like {one.looks!r}: wrong, or hard to tell apart"
            for one in self.mixed[:_NAMED]
        ]

    def evidence(self) -> dict[str, Any]:
        """What a verdict keeps."""
        numbers = {"share": self.share, "low": self.low, "high": self.high, "alarming": self.alarming}
        return {"wrong_labels": numbers | {"mixed": [asdict(one) for one in self.mixed]}}


def label_noise(labels: "pd.Series[str]", x: Array) -> LabelNoise | None:
    """Compare each sample with the means of all classes, its own without itself. None where there are too few classes
    (of three samples or more) to tell a wrong label from a hard sample.

    Args:
        labels: of each sample, perhaps missing: [n]. Copies of one sample should stand once.
        x: features [n, d].
    """
    counts = labels.value_counts()
    classes = sorted(counts.index[counts >= FEWEST_SAMPLES])
    if len(classes) < FEWEST_CLASSES:
        return None
    y = pd.Index(classes).get_indexer(pd.Index(labels))
    known = np.flatnonzero(y >= 0)
    y = y[known]
    rank, looks = _ranks(standardise(x[known], centre_of(x[known])), y, len(classes))
    share, high = _share(rank, len(classes), _FAR)[1:]
    low = min(_share(rank, len(classes), _FARTHEST)[0], share)
    table = pd.DataFrame({"looks": np.array(classes)[looks], "score": rank / (len(classes) - 1)}, labels.index[known])
    likely = share if low > TOLERATED else low  # where no more than hard samples are seen, few are called suspicious
    suspicious = table[rank >= _first_sure(rank, len(classes), likely)]
    return LabelNoise(share, low, high, _mixed(y, looks, classes), suspicious)


def _ranks(x: Array, y: NDArray[np.int64], classes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many classes each sample is more like than its own, and which class it is most like: [n], [n]."""
    from scipy.sparse import csr_array

    sums = csr_array((np.ones(len(x), np.float32), (y, np.arange(len(x)))), shape=(classes, len(x))) @ x
    squares = (sums**2).sum(1)
    means = sums / np.maximum(np.sqrt(squares), np.finfo(np.float32).tiny)[:, None]
    rank, looks = np.empty_like(y), np.empty_like(y)
    for start in range(0, len(x), _AT_ONCE):
        here = slice(start, start + _AT_ONCE)
        own, rows = y[here], np.arange(len(y[here]))
        scores = x[here] @ means.T  # [sample, class]
        dot, length = (sums[own] * x[here]).sum(1), (x[here] ** 2).sum(1)
        rest = np.sqrt(np.maximum(squares[own] - 2 * dot + length, np.finfo(np.float32).tiny))
        scores[rows, own] = (dot - length) / rest  # by the mean of the others of its class
        rank[here], looks[here] = (scores > scores[rows, own][:, None]).sum(1), scores.argmax(1)
    return rank, looks


def _share(rank: NDArray[np.int64], classes: int, far: float) -> tuple[float, float, float]:
    """Lower end, estimate and upper end of the share of wrong labels, by those whose own class is beyond `far`.

    Wrong labels are uniform on the classes behind the first; the interval is Wilson's.
    """
    from scipy.stats import binomtest

    first = 1 + int(np.ceil(far * (classes - 1)))
    width = (classes - first) / (classes - 1)
    seen = binomtest(int((rank >= first).sum()), len(rank))
    low, high = seen.proportion_ci(_LEVEL, method="wilson")
    return tuple(min(1.0, float(one) / width) for one in (low, seen.statistic, high))  # type: ignore[return-value]


def _first_sure(rank: NDArray[np.int64], classes: int, share: float) -> int:
    """The least rank from which on most samples are expected to be wrong; beyond all ranks if there is none."""
    ranks = np.arange(1, classes)
    wrong = share * len(rank) * (classes - ranks) / (classes - 1)
    seen = np.array([(rank >= one).sum() for one in ranks])
    sure = ranks[(seen > 0) & (wrong >= _SURE * seen)]
    return int(sure[0]) if len(sure) else classes


def _mixed(y: NDArray[np.int64], looks: NDArray[np.int64], classes: list[str]) -> list[Mixed]:
    """Classes many of whose samples look like one other class."""
    table = pd.crosstab(y, looks).reindex(index=range(len(classes)), columns=range(len(classes)), fill_value=0)
    other = table.to_numpy() * (1 - np.eye(len(classes), dtype=int))
    most, of = other.argmax(1), table.sum(axis=1).to_numpy()
    found = [
        Mixed(classes[one], classes[most[one]], int(other[one, most[one]]), int(of[one]))
        for one in range(len(classes))
        if other[one, most[one]] >= max(_FEW, _MIXED * of[one])
    ]
    return sorted(found, key=lambda one: (-one.samples / one.of, one.given))
