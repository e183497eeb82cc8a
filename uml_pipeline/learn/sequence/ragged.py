"""Sequences of different lengths without padding: all their steps one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Ragged:
    """A batch of sequences, none of them empty. Layers that look at one step at a time compute on `values` as it is;
    attention pads in between.
    """

    values: Tensor  # [step of all, d] of numbers, or [step of all] of tokens
    lengths: Tensor  # [sequence]
    owners: Tensor  # [step of all]: its sequence
    places: Tensor  # [step of all]: its place in it
    longest: int

    @classmethod
    def of(cls, sequences: Sequence[Tensor]) -> "Ragged":
        """From sequences [step, d] or [step]."""
        lengths = torch.tensor([len(one) for one in sequences])
        owners = torch.repeat_interleave(torch.arange(len(sequences)), lengths)
        starts = lengths.cumsum(0) - lengths
        places = torch.arange(len(owners)) - starts[owners]
        return cls(torch.cat(list(sequences)), lengths, owners, places, int(lengths.max()))

    def to(self, device: torch.device) -> "Ragged":
        """On a device."""
        values, lengths, owners, places = (
            one.to(device) for one in (self.values, self.lengths, self.owners, self.places)
        )
        return Ragged(values, lengths, owners, places, self.longest)

    def pad(self, x: Tensor) -> Tensor:
        """[step of all, ...] -> [sequence, longest, ...]; zeros behind a sequence's end."""
        padded = x.new_zeros(len(self.lengths), self.longest, *x.shape[1:])
        return padded.index_put((self.owners, self.places), x)

    def unpad(self, padded: Tensor) -> Tensor:
        """[sequence, longest, ...] -> [step of all, ...]."""
        return padded[self.owners, self.places]

    def mean(self, x: Tensor) -> Tensor:
        """Mean over each sequence's own steps: [step of all, d] -> [sequence, d]."""
        sums = x.new_zeros(len(self.lengths), *x.shape[1:]).index_add(0, self.owners, x)
        return sums / self.lengths[:, None]
