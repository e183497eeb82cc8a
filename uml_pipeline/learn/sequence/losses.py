"""What a sequence is asked: its next step from those so far. A sequence of one step is asked for itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from uml_pipeline.learn.sequence.ragged import Ragged

Objective = Literal["mse", "infonce"]
_TEMPERATURE = 0.1  # of InfoNCE, for cosines
Term = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Loss of each prediction: predictions [run, step, d], what was to be predicted [run, step, ...], which steps are
asked at all [run, step] -> [run, step]."""


@dataclass(frozen=True)
class Terms:
    """Which steps predict which: T - 1 terms of a sequence of T steps, one of a sequence of one."""

    there: Tensor  # [run, step]: row of the step to be predicted, among those of all runs
    asked: Tensor  # [run, step]: whether there is one
    batch: Ragged

    @classmethod
    def of(cls, batch: Ragged) -> "Terms":
        """All terms of a batch."""
        lengths = batch.lengths.gather(1, batch.owners)
        goes_on = batch.real & (batch.places + 1 < lengths)
        rows = torch.arange(batch.real.numel(), device=batch.real.device).view_as(goes_on)
        return cls(rows + goes_on, goes_on | (batch.real & (lengths == 1)), batch)

    def next(self, steps: Tensor) -> Tensor:
        """Of each step the one to be predicted: [run, step, ...] -> [run, step, ...]; at steps that are not asked,
        themselves.
        """
        return steps.flatten(0, 1).index_select(0, self.there.flatten()).view_as(steps)

    def mean(self, losses: Tensor) -> Tensor:
        """Mean over each sequence's own terms, whatever else is in the batch: [run, step] -> [run, sequence]; 0 where a
        run has no such sequence.
        """
        lengths = self.batch.lengths
        sums = losses.new_zeros(lengths.shape).scatter_add(1, self.batch.owners, losses * self.asked)
        return sums / (lengths - 1).clamp(min=1)


def square(guess: Tensor, truth: Tensor, asked: Tensor) -> Tensor:
    """Mean squared error over the step's numbers."""
    return (guess.float() - truth).square().mean(2)


def surprise(guess: Tensor, truth: Tensor, asked: Tensor) -> Tensor:
    """Cross-entropy of the token: logits [run, step, token], tokens [run, step]."""
    return cross_entropy(guess.float().flatten(0, 1), truth.flatten(), reduction="none").view_as(truth)


def contrast(guess: Tensor, truth: Tensor, asked: Tensor) -> Tensor:
    """InfoNCE: how hard it is to tell the step from all others that are to be predicted in the run's batch."""
    scores = normalize(guess.float(), dim=2) @ normalize(truth, dim=2).transpose(1, 2) / _TEMPERATURE
    steps = torch.arange(scores.shape[1], device=scores.device)
    others = ~asked[:, None] & (steps != steps[:, None])
    scores = scores.masked_fill(others, float("-inf"))
    return scores.logsumexp(2) - scores.diagonal(dim1=1, dim2=2)
