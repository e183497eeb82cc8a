"""Which shared classes agree on their own account, so that a report can name those where a silo is off."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from uml_pipeline.learn.geometry import Array
from uml_pipeline.learn.statistics import products, u_centred
from uml_pipeline.relevance.geometry import Geometry

_NAMED = 8  # classes that a sentence lists
_NO_BETTER = 0.5  # p-value from which a class agrees no better than under a random name


@dataclass(frozen=True)
class ClassAgreement:
    """One class's place among the others, in both silos."""

    name: str
    correlation: float
    """Of its similarities to the other classes: 1 is the same place, 0 no relation."""
    p_value: float
    """That a random name agrees as well, corrected for the number of classes (Benjamini and Hochberg, 1995)."""
    chance: float
    """The same, uncorrected."""


@dataclass(frozen=True)
class Contributions:
    """All shared classes, those that agree least first."""

    classes: list[ClassAgreement]
    alpha: float

    @property
    def alike(self) -> list[str]:
        """Classes that agree; of them, a share of `alpha` at most is expected to do so by chance."""
        return [one.name for one in self.classes if one.p_value < self.alpha]

    @property
    def off(self) -> list[str]:
        """Classes that agree no better than the average random name, worst first. Evidence missing, not evidence
        against: among few classes, or between encoders that see little in common, sound ones are found here, too.
        """
        return [one.name for one in self.classes if one.chance > _NO_BETTER]

    @property
    def unsound(self) -> float:
        """Estimated share of classes that might as well have random names, erring high (Storey, 2002)."""
        return min(1.0, len(self.off) / len(self.classes) / (1 - _NO_BETTER))

    @property
    def alarming(self) -> bool:
        """Never: sound classes are found off, too."""
        return False

    def reasons(self) -> list[str]:
        """Which classes do not support the verdict; nothing where all do."""
        if not self.off:
            return []
        names = ", ".join(self.off[:_NAMED]) + (", …" if len(self.off) > _NAMED else "")
        counted = f"{len(self.alike)} of {len(self.classes)} classes are arranged alike on their own account"
        return [f"{counted}; no sign of it for {names}"]

    def evidence(self) -> dict[str, Any]:
        """What a verdict keeps."""
        return {"classes": [asdict(one) for one in self.classes], "unsound": self.unsound}


def contributions(geometry: Geometry, permutations: int, alpha: float, seed: int = 0) -> Contributions:
    """Correlation of each class's row of similarities between the silos, against permuted classes."""
    from scipy.stats import false_discovery_control

    ours, theirs = (_rows(one) for one in geometry.cosines)
    found = products(ours, theirs, permutations, seed)  # [1 + permutation, class]
    chance = (1 + (found[1:] >= found[0]).sum(0)) / (1 + permutations)
    corrected = false_discovery_control(chance)
    classes = [
        ClassAgreement(name, float(r), float(p), float(q))
        for name, r, p, q in zip(geometry.shared, found[0], corrected, chance, strict=True)
    ]
    return Contributions(sorted(classes, key=lambda one: (one.correlation, one.name)), alpha)


def _rows(similarity: Array) -> Array:
    """Each class's similarities around their mean, of length one: [class, class]."""
    centred = u_centred(similarity)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return centred / np.maximum(length, np.finfo(np.float64).tiny)
