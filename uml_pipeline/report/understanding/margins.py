"""How far test samples lie from the decision boundary (UML, app. F.3)."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uml_pipeline.learn.geometry import Array
from uml_pipeline.report.understanding.contenders import Contest
from uml_pipeline.report.understanding.paired import of_means

QUANTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class Margins:
    """One model's margins, in percent of a sample's length."""

    mean: float
    negative: float
    """Share of the samples that are misclassified, in percent."""
    quantiles: dict[str, float]
    """By percentage of the samples below."""


def margins(contest: Contest) -> dict[str, Any]:
    """Both models' margins, and the paired difference of their means with its 95 % interval."""
    each = {name: functional_margins(one.inputs, one.model.weight, contest.y) for name, one in contest.both.items()}
    found = {name: asdict(_told(100 * values)) for name, values in each.items()}
    difference = of_means(each["ours"], each["baseline"], contest.y)
    return {"unit": "percent of the sample's length"} | found | {"difference": asdict(difference)}


def _told(values: NDArray[np.float64]) -> Margins:
    shares = {str(at): float(value) for at, value in zip(QUANTILES, np.percentile(values, QUANTILES), strict=True)}
    return Margins(float(values.mean()), 100 * float((values < 0).mean()), shares)


def functional_margins(x: Array, head: Array, y: NDArray[np.int64]) -> NDArray[np.float64]:
    """(w_y - w_j) x / (|w_y - w_j| |x|) with j the highest wrong class: [sample].

    Negative where the sample is misclassified; a share of |x|, so that inputs of other widths compare. The same vector
    added to all rows of `head` changes nothing, nor does a factor.

    Args:
        x: what the head reads, [sample, d].
        head: [class, d].
        y: the true classes, [sample].
    """
    x, head = x.astype(np.float64), head.astype(np.float64)
    logits, every = x @ head.T, np.arange(len(y))
    wrong = logits.copy()
    wrong[every, y] = -np.inf
    highest = wrong.argmax(1)
    gap = logits[every, y] - logits[every, highest]
    wide = np.linalg.norm(head[y] - head[highest], axis=1) * np.linalg.norm(x, axis=1)
    return np.divide(gap, wide, out=np.zeros_like(gap), where=wide > 0)
