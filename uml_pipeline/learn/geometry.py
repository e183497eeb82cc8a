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
    return unit(_sums(x, labels, classes))


def means_of(x: Array, y: NDArray[np.int64], classes: int) -> tuple[Array, NDArray[np.int64]]:
    """Plain mean of each class's rows, zero where it has none, and their numbers. [n, d], [n] -> [classes, d],
    [classes].
    """
    counts = np.bincount(y, minlength=classes)
    return _sums(x, y, classes) / np.maximum(counts, 1).astype(np.float32)[:, None], counts


def _sums(x: Array, y: NDArray[np.int64], classes: int) -> Array:
    sums = np.zeros((classes, x.shape[1]), np.float32)
    np.add.at(sums, y, x)
    return sums


SHRINKAGE = 3.0  # mean eigenvalues added to a bridge's covariance: docs/results.md


def whitening(rest: Array, freedom: int) -> Array:
    """Inverse root of the covariance within classes, shrunk: of samples around their class's mean [n, d] to [d, d].

    `freedom`: samples less classes.
    """
    size, turn = np.linalg.eigh(rest.T @ rest / max(freedom, 1))
    return (turn / np.sqrt(np.maximum(size, 0) + SHRINKAGE * max(size.mean(), 1e-12))) @ turn.T
