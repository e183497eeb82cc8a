"""Reduced coordinates: what the training samples span is all that a projection can learn about.

The gradient of a linear layer lies in the span of its inputs: a few hundred dimensions of the 1,280 that 8 photos of 50
classes have. So a projection A is trained as A Q / c on c Q^T x, with an orthonormal basis Q [d, k] of that span; its
part outside, A (I - Q Q^T), has no gradient and only decays, which is a number.

Adam is not equivariant under rotations, so its path is not that of raw coordinates. Two choices keep accuracies as they
are (benchmarks/probe.py): Q is rotated at random, so that as in raw features no coordinate holds most of the variance;
and c = sqrt(d / k) / 2, for Adam's steps are of one size in each coordinate, and fewer coordinates make shorter steps;
of the factors 1, 0.7 and 0.5 the last came nearest to raw accuracies at 1 and 4 photos a class.

A head that reads samples itself stays raw: its weights are few, and Adam's steps beyond the span are good for it (one
photo a class: 2 to 3 points of accuracy). A baseline must not be weakened for speed.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from uml_pipeline.learn.joint.streams import generator

SHORTER = 0.5  # of the step length in raw coordinates
Coordinates = Literal["reduced", "raw"]
SMALLEST = 1e-10  # eigenvalues below this part of the largest are rounding: Adam would blow such directions up


@dataclass(frozen=True, eq=False)
class Span:
    """Coordinates of one layer; `basis` is c Q [d, k], or None for raw features."""

    basis: Tensor | None
    dims: int

    @classmethod
    def of(cls, x: Tensor, coordinates: Coordinates, seed: int) -> "Span":
        """Coordinates for inputs `x` [n, d]. Where they span (nearly) everything, nothing is gained: raw ones."""
        n, d = x.shape
        if coordinates == "raw" or n >= d:
            return cls(None, d)
        wide = x.double()
        values, vectors = torch.linalg.eigh(wide @ wide.T)
        kept = values > SMALLEST * values[-1]
        basis = wide.T @ (vectors[:, kept] / values[kept].sqrt())  # [d, k], orthonormal
        k = basis.shape[1]
        turn = torch.linalg.qr(torch.randn(k, k, generator=generator(seed, "turn"), dtype=torch.float64))[0]
        return cls((basis @ turn * SHORTER * (d / k) ** 0.5).float(), d)

    @property
    def stretch(self) -> float:
        """c^2."""
        return 1.0 if self.basis is None else SHORTER**2 * self.dims / self.basis.shape[1]

    def coordinates(self, x: Tensor) -> Tensor:
        """Inputs as the layer sees them: [n, d] -> [n, k]."""
        return x if self.basis is None else x @ self.basis

    def inside(self, layer: Tensor) -> Tensor:
        """What of a layer is trained: [..., d] -> [..., k]."""
        return layer if self.basis is None else layer @ self.basis / self.stretch

    def outside(self, layer: Tensor) -> Tensor | None:
        """What of a layer only decays: [..., d]; None where that is nothing."""
        return None if self.basis is None else layer - self.inside(layer) @ self.basis.T

    def full(self, inside: Tensor, outside: Tensor | None, left: float) -> Tensor:
        """The layer in raw coordinates, `left` of its outer part being left: [..., k] -> [..., d]."""
        if self.basis is None or outside is None:
            return inside
        return inside @ self.basis.T + left * outside
