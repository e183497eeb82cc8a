"""Batches as a function of the step: nothing to save, nothing to restore, the same for any number of processes."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from uml_pipeline.errors import UserError

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


def require_parts(streams: Iterable[Stream], shares: int, mode: str) -> None:
    """Every part of every process must have a sample; `shares` are parts times processes.

    Raises:
        UserError: a batch is too small to be divided that often.
    """
    least = min(stream.size for stream in streams)
    if least < shares:
        raise UserError(
            f"a batch of {least} samples cannot be divided into {shares} parts",
            where=f"trunk.{mode}: accumulate times the number of processes",
            fix="use fewer of them, or larger batches",
        )
