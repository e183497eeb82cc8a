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
Term = Callable[[Tensor, Tensor], Tensor]
"""Loss of each prediction: predictions [term, d], what was to be predicted [term, ...] -> [term]."""


@dataclass(frozen=True)
class Terms:
    """Which steps predict which: T - 1 terms of a sequence of T steps, one of a sequence of one."""

    here: Tensor  # [term]: the last step that the prediction knows
    there: Tensor  # [term]: the step to be predicted
    owner: Tensor  # [term]: the sequence
    counts: Tensor  # [sequence]: its terms

    @classmethod
    def of(cls, batch: Ragged) -> "Terms":
        """All terms of a batch."""
        lengths = batch.lengths[batch.owners]
        here = torch.nonzero((batch.places + 1 < lengths) | (lengths == 1)).flatten()
        there = here + (lengths[here] > 1).long()
        return cls(here, there, batch.owners[here], (batch.lengths - 1).clamp(min=1))

    def mean(self, losses: Tensor) -> Tensor:
        """Mean over each sequence's own terms, whatever else is in the batch: [term] -> [sequence]."""
        return losses.new_zeros(len(self.counts)).index_add(0, self.owner, losses) / self.counts


def square(guess: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error over the step's numbers."""
    return (guess.float() - truth).square().mean(1)


def surprise(guess: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy of the token: logits [term, token], tokens [term]."""
    return cross_entropy(guess.float(), truth, reduction="none")


def contrast(guess: Tensor, truth: Tensor) -> Tensor:
    """InfoNCE: how hard it is to tell the step from all others that are to be predicted in the batch."""
    scores = normalize(guess.float(), dim=1) @ normalize(truth, dim=1).T / _TEMPERATURE
    return cross_entropy(scores, torch.arange(len(scores), device=scores.device), reduction="none")
