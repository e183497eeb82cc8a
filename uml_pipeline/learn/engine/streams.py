"""Batches as a function of the step: nothing to save, nothing to restore, the same for any number of processes."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


class Stream:
    """Endless batches of one modality: each sample once an epoch, epochs run on. No two streams share randomness."""

    def __init__(self, samples: int, size: int, seed: tuple[int, ...]) -> None:
        """`size` samples a batch, or all where there are fewer."""
        self.samples, self.size, self.seed = samples, min(size, samples), seed
        self._epoch = lru_cache(maxsize=4)(self._shuffled)

    def rows(self, step: int) -> Rows:
        """The global batch of a step: [size]."""
        places = np.arange(step * self.size, (step + 1) * self.size)
        epochs = places // self.samples
        parts = [self._epoch(int(one))[places[epochs == one] % self.samples] for one in np.unique(epochs)]
        return np.concatenate(parts)

    def _shuffled(self, epoch: int) -> Rows:
        return np.random.default_rng([*self.seed, epoch]).permutation(self.samples)
