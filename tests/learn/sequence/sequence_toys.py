"""Short ragged sequences: numbers that follow from those before, and tokens."""

from collections.abc import Sequence

import torch
from torch import Tensor

from uml_pipeline.learn.sequence.config import NetworkConfig
from uml_pipeline.learn.sequence.network import SharedNetwork, modality, transformer
from uml_pipeline.learn.sequence.ragged import Ragged

DIM, KINDS = 3, 7
SHAPE = NetworkConfig(width=8, layers=2, heads=2, hidden=16, dropout=0.0, longest=12)


def ragged(*sequences: Tensor) -> Ragged:
    """A batch of one run."""
    return Ragged.of([sequences])


def waves(count: int, seed: int = 0, dim: int = DIM, longest: int = 9) -> list[Tensor]:
    """Sequences [step, dim], one of them of a single step."""
    draw = torch.Generator().manual_seed(seed)
    lengths = [1, *torch.randint(2, longest + 1, (count - 1,), generator=draw).tolist()]
    phases = 6 * torch.rand(count, dim, generator=draw)
    return [torch.sin(torch.arange(n)[:, None] + phase) + 1 for n, phase in zip(lengths, phases, strict=True)]


def words(count: int, seed: int = 0) -> list[Tensor]:
    """Sequences of tokens [step]."""
    draw = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, 9, (count,), generator=draw).tolist()
    return [torch.randint(0, KINDS, (n,), generator=draw) for n in lengths]


def network(
    x: Sequence[Tensor], beside: str | None = None, shape: NetworkConfig = SHAPE, seed: int = 0
) -> SharedNetwork:
    """Of `x` alone, or with `tokens` or other `numbers` beside it."""
    others = {"tokens": words(40, 7), "numbers": waves(20, 5, 4)}
    modalities = {"x": modality("x", x, shape, seed)} | (
        {"y": modality("y", others[beside], shape, seed)} if beside else {}
    )
    return SharedNetwork(modalities, transformer(shape, seed))
