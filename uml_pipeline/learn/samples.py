"""Samples that a head learns from."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Samples:
    """Features of one modality with their classes."""

    x: Tensor  # [n, d]
    y: Tensor  # [n], int64

    def __len__(self) -> int:
        return len(self.y)
