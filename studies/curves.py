"""Gains along something that a study varies, drawn alike."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from studies import tables
from studies.measure import OURS
from studies.plan import Record
from uml_pipeline.report import words
from uml_pipeline.report.canvas import ACCENT, GREY, LESS


def draw_gains(axes: Any, points: Sequence[tuple[float, Record]], every: Sequence[int], apart: float) -> None:
    """Gain of our arm over the strongest without silos, one line of intervals a number of shots (three at most).

    Args:
        axes: of matplotlib.
        points: what is varied, and the record there.
        every: numbers of shots.
        apart: by which the lines stand beside each other, in units of what is varied.
    """
    for place, shots in enumerate(every):
        found = [tables.gain(record, OURS, "alone", shots) for _, record in points]
        mean, low, high = (np.array([gain[key] for gain in found]) for key in ("mean", "low", "high"))
        x = [at + apart * (place - 1) for at, _ in points]
        style = {"color": [ACCENT, LESS, GREY][place], "marker": "osD"[place]}
        axes.errorbar(x, mean, [mean - low, high - mean], capsize=3, label=words.shots(shots), **style)
