"""Spoilt vectors and series."""

from collections.abc import Sequence
from functools import partial
from typing import cast

import numpy as np

from uml_pipeline.report.robustness.damage import Damage
from uml_pipeline.samples import Sample


def damages(samples: Sequence[Sample]) -> list[Damage]:
    """Noise, as far as each column varies in these samples."""
    steps = np.concatenate([np.atleast_2d(cast(np.ndarray, one)) for one in samples])
    spreads = np.nan_to_num(np.nanstd(steps.astype(np.float64), axis=0))
    return [Damage("noise", "standard deviations of the column", (0.1, 0.3, 1.0), partial(noise, spreads))]


def noise(spreads: np.ndarray, sample: Sample, strength: float, draw: np.random.Generator) -> np.ndarray:
    """Gaussian, at every step."""
    array = cast(np.ndarray, sample)
    return (array + strength * spreads * draw.normal(size=array.shape)).astype(array.dtype)
