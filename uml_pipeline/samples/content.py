"""Samples that hold nothing to learn from or to recognise: set aside in a silo, refused by a model."""

import numpy as np

from uml_pipeline.samples.container import Sample
from uml_pipeline.silo.config import Modality


def lack(sample: Sample, modality: Modality) -> str | None:
    """What an opened sample lacks, in a few words; None where all is well. Files are not decoded for this."""
    if isinstance(sample, str) and modality == "text":
        return None if sample.strip() else "empty text"
    if isinstance(sample, dict):
        return "all cells are missing" if all(cell is None for cell in sample.values()) else None
    if not isinstance(sample, np.ndarray):
        return None
    if modality == "series":
        return None if np.isfinite(sample).any() else _numberless(sample)
    if not np.isfinite(sample).all():
        return "the vector holds NaN or infinity"
    # its length would be infinite, and the unit vector along it zero
    return (
        None if sample.astype(np.float64) @ sample < np.finfo(np.float32).max else "the vector's numbers are too large"
    )


def _numberless(series: np.ndarray) -> str:
    return "the series holds no number" if series.size else "the series is empty"
