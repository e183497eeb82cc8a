"""Random numbers by name: what one modality, class or matrix draws never depends on whether another exists."""

import hashlib
from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from uml_pipeline.learn.splits import batches

AHEAD = 100  # steps of batches drawn at once, for the transfer to a GPU


def number(seed: int, *names: str) -> int:
    """A seed of 63 bits for a seed and names."""
    return int.from_bytes(hashlib.sha256(repr((seed, *names)).encode()).digest()[:8]) >> 1


def generator(seed: int, *names: str) -> torch.Generator:
    """A stream of its own for every seed and names."""
    return torch.Generator().manual_seed(number(seed, *names))


def uniform(rows: int, columns: int, draw: torch.Generator) -> Tensor:
    """PyTorch's default start of a linear layer without bias: [rows, columns], uniform in ±1/sqrt(columns)."""
    return (2 * torch.rand(rows, columns, generator=draw) - 1) / columns**0.5


def batch_rows(samples: int, size: int, times: int, seed: int, name: str, device: torch.device) -> Iterator[Tensor]:
    """Endless steps of a modality, `times` batches each: [times * min(size, samples)]. Each sample once an epoch."""
    endless = batches(samples, size, np.random.default_rng(number(seed, "batches", name)))
    while True:
        ahead = np.stack(list(islice(endless, AHEAD * times)))
        yield from torch.from_numpy(ahead).to(device).view(AHEAD, -1)
