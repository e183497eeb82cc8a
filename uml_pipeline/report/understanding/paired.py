"""Differences between two models with an interval, for what is a mean over samples, and for what is not."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from uml_pipeline.learn.statistics import Gain, paired_gain

_GROUPS = 10
_WIDE = 1.96


def of_means(ours: NDArray, baseline: NDArray, y: NDArray[np.int64]) -> Gain:
    """Difference of two means over the same samples [sample], times 100; bootstrap over their classes `y`."""
    counts = np.bincount(y)
    there = counts > 0
    one, other = (np.bincount(y, values)[None, there] for values in (ours, baseline))  # [1, class]
    return paired_gain(one, other, counts[None, there])


def of_sets(statistic: Callable[[NDArray[np.bool_]], float], y: NDArray[np.int64]) -> Gain:
    """What `statistic` gives for the kept samples (a mask), with an interval by a jackknife that leaves out a tenth of
    the classes at a time: for differences that are a property of the whole set, not a mean over it.
    """
    whole = statistic(np.ones(len(y), bool))
    place = np.unique(y, return_inverse=True)[1]
    groups = min(_GROUPS, int(place.max()) + 1)
    values = np.array([statistic(place % groups != group) for group in range(groups)])
    error = float(np.sqrt((groups - 1) / groups * ((values - values.mean()) ** 2).sum()))
    return Gain(whole, whole - _WIDE * error, whole + _WIDE * error)
