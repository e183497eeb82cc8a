"""Where features of all modalities meet: unit vectors around a centre."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def unit(x: Array) -> Array:
    """Rows of `x` scaled to length one; a zero row stays zero. [..., d] -> [..., d]."""
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return x / np.maximum(length, np.finfo(np.float32).tiny)


def centre_of(x: Array) -> Array:
    """Mean direction of the samples: [n, d] -> [d]. It is what `standardise` subtracts."""
    return unit(x).mean(0)


def standardise(x: Array, centre: Array) -> Array:
    """Unit vectors seen from `centre`: unit(unit(x) - centre).

    Removes what all samples of a modality share (the modality gap), so that silos become comparable.
    [n, d], [d] -> [n, d].
    """
    return unit(unit(x) - centre)


def class_means(x: Array, labels: NDArray[np.int64], classes: int) -> Array:
    """Unit mean of each class's rows; a class without rows gets zeros. [n, d], [n] -> [classes, d]."""
    sums = np.zeros((classes, x.shape[1]), np.float32)
    np.add.at(sums, labels, x)
    return unit(sums)
