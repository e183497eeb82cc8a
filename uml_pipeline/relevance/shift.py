"""How far a silo's classes lie from the target's, where both are seen by one encoder: the shift beyond noise."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from uml_pipeline.learn.geometry import Array, unit

_FEWEST_SAMPLES = 2  # a class and silo, or its scatter is not known
_TOLD = 0.25  # of the distance between classes
_NAMED = 8
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class ClassShift:
    """One class of both silos."""

    name: str
    distance: float
    """Squared, between its means in both silos, over that between two classes of the target. Unbiased: about 0 without
    a shift, so that it may be negative; 1 is as far as another class."""
    nearest: str
    """The class of the target that the silo's samples lie nearest to."""


@dataclass(frozen=True)
class Shift:
    """The classes that both silos know, those that lie farthest apart first."""

    classes: list[ClassShift]
    distance: float
    """Mean over classes."""
    common: float
    """The part of it that all classes share: another camera, style or place, not another meaning."""

    @property
    def alarming(self) -> bool:
        """Never: a bridge may show the same things otherwise."""
        return False

    def reasons(self) -> list[str]:
        """What a person should know about it; nothing where it is little."""
        said = []
        if self.distance > _TOLD:
            said.append(
                f"its classes lie {np.sqrt(self.distance):.0%} of the distance between classes away from the target's; "
                f"{max(self.common, 0) / self.distance:.0%} of the square is common to all"
            )
        strays = [one for one in self.classes if one.nearest != one.name]
        named = ", ".join(f"{one.name} (like {one.nearest})" for one in strays[:_NAMED])
        return said + [f"nearer to another class of the target than to their own: {named}"] * bool(strays)

    def evidence(self) -> dict[str, Any]:
        """What a verdict keeps."""
        return {"shift": asdict(self)}


def shift(target: tuple[pd.Series, Array], silo: tuple[pd.Series, Array]) -> Shift | None:
    """Distances between class means, what few samples add to them taken off; None where fewer than two classes have
    two samples in both.

    Each argument is a silo's labels [n] and features [n, d], of one encoder.
    """
    counts = [one[0].value_counts() for one in (target, silo)]
    shared = sorted(set.intersection(*(set(count.index[count >= _FEWEST_SAMPLES]) for count in counts)))
    if len(shared) < 2:
        return None
    (ours, our_noise), (theirs, their_noise) = (_means(*one, shared) for one in (target, silo))
    between = _squares(ours, ours) - our_noise[:, None] - our_noise
    scale = float(between[~np.eye(len(shared), dtype=bool)].mean())
    if scale <= 0:
        return None
    across = (_squares(theirs, ours) - their_noise[:, None] - our_noise) / scale  # [class of silo, class of target]
    moved = ((theirs - ours).mean(0) ** 2).sum() - (our_noise + their_noise).mean() / len(shared)
    own = np.diag(across)
    found = [
        ClassShift(name, float(distance), shared[nearest])
        for name, distance, nearest in zip(shared, own, across.argmin(1), strict=True)
    ]
    classes = sorted(found, key=lambda one: (-one.distance, one.name))
    return Shift(classes, float(own.mean()), float(moved / scale))


def _means(labels: pd.Series, x: Array, shared: list[str]) -> tuple[Numbers, Numbers]:
    """Class means of unit vectors [class, d], and the squared length of their noise [class]."""
    index = pd.Index(shared).get_indexer(pd.Index(labels))
    x, index = unit(x[index >= 0]), index[index >= 0]
    counts = np.bincount(index)
    means = np.zeros((len(shared), x.shape[1]))
    np.add.at(means, index, x)
    means /= counts[:, None]
    scatter = np.bincount(index, ((x - means[index]) ** 2).sum(1))
    return means, scatter / (counts - 1) / counts


def _squares(one: Numbers, other: Numbers) -> Numbers:
    return (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
