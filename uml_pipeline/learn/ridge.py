"""A linear map from samples to what is said of their classes, as zero-shot learning has it (Palatucci et al., 2009)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uml_pipeline.learn.geometry import unit

Array = NDArray[Any]  # of floats; sums in double precision, as directions that vary little count here


@dataclass(frozen=True)
class Told:
    """Samples of all classes of which something is said, taken apart so that every strength costs a product."""

    said: Array  # [class, t], of length one; zero where nothing is said
    turn: Array  # [d, r]
    seen: Array  # [r, t]
    size: Array  # [r], eigenvalues of the samples' gram matrix

    @classmethod
    def of(cls, x: Array, y: NDArray[np.int64], said: Array) -> "Told":
        """`x` [n, d] and their classes `y` [n]; `said` [class, t] may be of any length."""
        told = unit(said.astype(np.float64))
        known = (told != 0).any(axis=1)[y]
        samples, t = x[known].astype(np.float64), told[y[known]]
        if len(samples) < samples.shape[1]:
            size, turn = np.linalg.eigh(samples @ samples.T)
            return cls(told, samples.T @ turn, turn.T @ t, size)
        size, turn = np.linalg.eigh(samples.T @ samples)
        return cls(told, turn, turn.T @ (samples.T @ t), size)

    def head(self, strength: float, means: Array) -> Array:
        """The mapped sample's cosine with what is said, but for the sample's own length, for the first classes: rows
        [class, d], of length one on average. `means` [class, d] are those of the classes' samples: where nothing is
        said of a class its mapped mean stands in, and where nothing is said of any, means are all there is.
        """
        fitted = self.turn @ (self.seen / (np.maximum(self.size, 0) + strength)[:, None])  # [d, t]
        own, mapped = self.said[: len(means)], unit((means @ fitted).astype(np.float32))
        rows = np.where(own.any(1, keepdims=True), own, mapped) @ fitted.T if own.any() else means
        return (rows / max(np.linalg.norm(rows, axis=1).mean(), np.finfo(np.float32).tiny)).astype(np.float32)
