"""Dropout's masks. Those of a run follow from its own seed and its own batch alone, whoever is trained beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from uml_pipeline.learn.sequence.config import NetworkConfig
from uml_pipeline.learn.sequence.ragged import Bunch, Ragged

_KINDS = 2**16  # different random numbers


@dataclass(frozen=True)
class BlockMasks:
    """What a block's numbers are multiplied with: 0, or what keeps their mean."""

    attention: tuple[Tensor, ...]  # of each bunch: [sequence * head, longest, longest]
    attended: Tensor  # [run, step, width]
    hidden: Tensor  # [run, step, hidden]
    perceived: Tensor  # [run, step, width]


@dataclass(frozen=True)
class Masks:
    """Of one modality's batch in one step."""

    inward: Tensor  # [run, step, width]
    blocks: tuple[BlockMasks, ...]


def generators(seeds: Sequence[int], numbers: tuple[int, ...], device: torch.device) -> list[torch.Generator]:
    """Random numbers of each run that follow from its seed and these numbers alone."""
    states = [np.random.SeedSequence((seed, *numbers)).generate_state(1) for seed in seeds]
    return [torch.Generator(device).manual_seed(int(state[0])) for state in states]


def masks(config: NetworkConfig, batch: Ragged, draws: Sequence[torch.Generator]) -> Masks:
    """Drawn from each run's generator."""
    width, hidden, layers = config.width, config.hidden, config.layers
    totals = batch.lengths.sum(1).tolist()
    inward = _steps(batch, totals, width, config.dropout, draws)
    attention = [_attention(bunch, layers, config.heads, config.dropout, draws) for bunch in batch.bunches]
    blocks = []
    for layer in range(layers):
        parts = _steps(batch, totals, 2 * width + hidden, config.dropout, draws).split([width, hidden, width], 2)
        blocks.append(BlockMasks(tuple(one[layer] for one in attention), *parts))
    return Masks(inward, tuple(blocks))


def _steps(batch: Ragged, totals: list[int], width: int, share: float, draws: Sequence[torch.Generator]) -> Tensor:
    """[run, step, width]; tails have zeros."""
    found = torch.zeros(*batch.real.shape, width, device=batch.real.device)
    for own, total, draw in zip(found, totals, draws, strict=True):
        _draw(own[:total], share, draw)
    return found.mul_(1 / (1 - share))


def _attention(bunch: Bunch, layers: int, heads: int, share: float, draws: Sequence[torch.Generator]) -> Tensor:
    """[layer, sequence * head, longest, longest]."""
    shape = (layers, bunch.count * heads, bunch.longest, bunch.longest)
    found, start = torch.zeros(shape, device=draws[0].device), 0
    for (count, longest), draw in zip(bunch.shares, draws, strict=True):
        end = start + count * heads
        _draw(found[:, start:end, :longest, :longest], share, draw)
        start = end
    return found.mul_(1 / (1 - share))


def _draw(out: Tensor, share: float, draw: torch.Generator) -> None:
    """Zero for a `share` of the numbers, else 1. Four random numbers of 16 bits are drawn at once: torch's own
    Bernoulli numbers cost several times as much (see benchmarks/ssl.py).
    """
    quads = torch.empty(-(-out.numel() // 4), dtype=torch.int64, device=out.device)
    quads.random_(torch.iinfo(torch.int64).min, None, generator=draw)
    numbers = quads.view(torch.int16)[: out.numel()].view(out.shape)
    torch.ge(numbers, round(share * _KINDS) - _KINDS // 2, out=out)
