"""Fisher information about what the silos share, with each silo's own parameters unknown; variances; honest ranks."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import orth, solve_triangular

from uml_pipeline.theory.designs import Design, Matrix

RANK = 1e-6
"""What a design shows less than this, relative to what it shows best, counts as not shown."""
ANGLE = 1e-8
"""Sine of the angle up to which a direction counts as lying in a range: rounding, 1e-16, over `RANK`, and a margin."""


@dataclass(frozen=True)
class Information:
    """Information about theta_c as a square root: `factor.T @ factor`, and an orthonormal basis of its range.

    The square root keeps digits that the matrix loses, and the range does not depend on noise and numbers of samples:
    a silo with a million precise samples does not make another one's view of a further direction vanish.
    """

    factor: Matrix  # [row, common]
    basis: Matrix  # [common, rank]

    @property
    def matrix(self) -> Matrix:
        """The information, [common, common]."""
        return self.factor.T @ self.factor

    @property
    def rank(self) -> int:
        """The number of dimensions that are seen."""
        return self.basis.shape[1]

    def __add__(self, other: "Information") -> "Information":
        """Information of both silos: it adds, since their own parameters do not meet (UML, app. C)."""
        basis = orth(np.hstack([self.basis, other.basis]), rcond=ANGLE)
        return Information(np.vstack([self.factor, other.factor]), basis)

    def scaled(self, by: float) -> "Information":
        """The information times a positive number."""
        return Information(self.factor * np.sqrt(by), self.basis)

    def sees(self, direction: Matrix) -> bool:
        """Whether the direction, [common], lies in the range: the true condition for a finite variance."""
        rest = direction - self.basis @ (self.basis.T @ direction)
        return bool(np.linalg.norm(rest) <= ANGLE * np.linalg.norm(direction))

    def variance(self, direction: Matrix) -> float:
        """Least variance with which `direction @ theta_c` can be estimated without bias; inf where it is not seen."""
        return float((self.half(direction) ** 2).sum()) if self.sees(direction) else np.inf

    def half(self, directions: Matrix) -> Matrix:
        """The square root of the variance: [common, n] -> [rank, n], whose squared columns sum to it. Unseen parts are
        passed over.
        """
        return solve_triangular(self._triangle, self.basis.T @ directions, trans="T")

    def solve(self, direction: Matrix) -> Matrix:
        """The u of least norm with `matrix @ u = direction`, [common]; unseen parts are passed over."""
        return self.basis @ solve_triangular(self._triangle, self.half(direction))

    def along(self, u: Matrix) -> float:
        """`u @ matrix @ u`."""
        return float(((self.factor @ u) ** 2).sum())

    @property
    def _triangle(self) -> Matrix:
        return np.asarray(np.linalg.qr(self.factor @ self.basis).R)  # [rank, rank]


def fisher(design: Design) -> Matrix:
    """Information about [theta_c, theta_own] together, [common + own, common + own] (UML, app. C, with 1 / noise^2)."""
    both = np.hstack([design.common, design.own])
    return design.samples / design.noise**2 * both.T @ both


def efficient(design: Design) -> Information:
    """Information about theta_c where theta_own is unknown: the Schur complement of `fisher`'s own block.

    It is what bounds the variance. The paper's theorem 1 takes the common block itself, as though theta_own were known.
    """
    own = orth(design.own, rcond=RANK)
    shown = design.common
    for _ in range(2):  # once leaves rounding of the size of what is removed
        shown = shown - own @ (own.T @ shown)
    _, values, vectors = np.linalg.svd(shown, full_matrices=False)
    kept = values > RANK * np.linalg.norm(design.common, 2) if design.common.size else values > 0
    scale = np.sqrt(design.samples) / design.noise
    return Information(scale * values[kept, None] * vectors[kept], vectors[kept].T)
