"""Do two silos arrange their shared classes alike? Class geometry against permuted classes (docs/relevance.md)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from uml_pipeline.learn.geometry import Array, centre_of, class_means, standardise
from uml_pipeline.learn.statistics import Permutation, mantel

FEWEST_CLASSES = 8  # below, even perfect agreement hardly stands out from permutations


@dataclass(frozen=True)
class Agreement:
    """How the classes that both silos know are arranged in each; no test where they are too few."""

    shared: list[str]
    test: Permutation | None


def agreement(target: tuple[pd.Series, Array], auxiliary: tuple[pd.Series, Array], permutations: int) -> Agreement:
    """Mantel test on the similarity of class means.

    Each silo is seen in its own feature space, so nothing needs a common one; samples are never matched, only classes
    are compared. Each argument is a silo's labels [n] and features [n, d].
    """
    shared = sorted(set(target[0].dropna()) & set(auxiliary[0].dropna()))
    if len(shared) < FEWEST_CLASSES:
        return Agreement(shared, None)
    return Agreement(shared, mantel(_similarity(*target, shared), _similarity(*auxiliary, shared), permutations))


def _similarity(labels: pd.Series, x: Array, shared: list[str]) -> Array:
    """Cosines between the class means, seen from their common centre: [class, class]."""
    known = labels.isin(shared).to_numpy()
    index = pd.Categorical(labels[known], categories=shared).codes.astype(np.int64)
    means = class_means(standardise(x[known], centre_of(x[known])), index, len(shared))
    return means @ means.T
