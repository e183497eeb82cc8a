"""How a silo sees the world: linear views of what all silos depend on, and of what only this one does."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """One silo of the linear-Gaussian model: a sample is `common @ theta_c + own @ theta_own + noise` (UML, sec. 3.1).

    theta_c is what all silos depend on; theta_own (the paper's theta_x, theta_y) is unknown too, and nobody wants it.

    Args:
        common: the paper's A_c or B_c, [value, common].
        own: the paper's A_x or B_y, [value, own]; no columns where the silo has nothing of its own.
        noise: standard deviation of each value.
        samples: how many samples are seen through this design. Designs that differ by sample: stack their rows, as one.

    Raises:
        ValueError: the matrices have different numbers of rows, or noise or samples are not positive.
    """

    common: Matrix
    own: Matrix
    noise: float
    samples: int = 1

    def __post_init__(self) -> None:
        if len(self.common) != len(self.own):
            raise ValueError(f"{len(self.common)} rows of the common design, {len(self.own)} of the own one")
        if not (self.noise > 0 and self.samples > 0):
            raise ValueError("noise and samples must be positive")


def random_design(
    draw: np.random.Generator, strength: Matrix, values: int, own: int, noise: float, samples: int
) -> Design:
    """A design of standard normal entries; column i of its common part is multiplied by `strength[i]` (0: not seen)."""
    common = draw.normal(size=(values, len(strength))) * strength
    return Design(common, draw.normal(size=(values, own)), noise, samples)
