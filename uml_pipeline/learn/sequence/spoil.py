"""Auxiliary sequences with their order, or all of their content, taken away: what UML must beat."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Spoilt = Literal["none", "shuffled", "noise"]
SPOIL = 4  # stream of random numbers, beside a run's seed


def spoil(sequences: Sequence[Tensor], how: Spoilt, seed: tuple[int, ...]) -> Sequence[Tensor]:
    """The sequences as they are; or each with its steps in random order; or noise of the same lengths: normal, with
    each number's mean and deviation, or tokens drawn as often as they occur.
    """
    if how == "none":
        return sequences
    draw = np.random.default_rng([*seed, SPOIL])
    if how == "shuffled":
        return [one[torch.from_numpy(draw.permutation(len(one)))] for one in sequences]
    steps = torch.cat(list(sequences)).numpy()
    lengths = [len(one) for one in sequences]
    if np.issubdtype(steps.dtype, np.floating):
        noise = np.nanmean(steps, 0) + np.nanstd(steps, 0) * draw.standard_normal(steps.shape)
        return list(torch.from_numpy(noise.astype(np.float32)).split(lengths))
    return list(torch.from_numpy(draw.choice(steps, len(steps))).split(lengths))
