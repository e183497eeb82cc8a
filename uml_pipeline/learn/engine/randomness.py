"""Torch's global random numbers as a function of what they are for."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed(*numbers: int) -> None:
    """Torch's global random numbers from here on follow these numbers alone."""
    torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))


@contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Torch's random numbers inside follow `numbers` alone; those outside are left as they were."""
    with torch.random.fork_rng([]):
        seed(*numbers)
        yield
