"""Is a challenger worse than the champion? A paired comparison on samples that neither has learnt from."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from uml_pipeline.registry.records import Gain, Ground

if TYPE_CHECKING:
    import pandas as pd

RELABELLED = 0.1
"""Where a larger share of the samples has other labels than when the champion was made, cross-validation says who fits
their labels, and no longer who is right."""
_CLASSES = 10  # fewer of them say nothing of classes in general: samples are resampled then
_CLUSTERS = 1000


@dataclass(frozen=True)
class Judgement:
    """What was found, and why the challenger may not be released, if so."""

    ground: Ground
    gain: Gain | None
    samples: int
    objection: str | None = None

    def __str__(self) -> str:
        where = "the gate" if self.ground == "gate" else self.ground
        return f"{self.gain} on {self.samples} samples of {where}"


def judge(ours: "pd.DataFrame", theirs: "pd.DataFrame", ground: Ground, classes: set[str], margin: float) -> Judgement:
    """Compare a challenger's hits with a champion's (see evidence.py) on the samples that both know.

    Args:
        ours, theirs: the challenger's, the champion's.
        ground: what they are.
        classes: those that both models know.
        margin: points that the challenger may seem worse.
    """
    both = ours.merge(theirs, on="sample_id", suffixes=("", "_then"))
    both = both[both["label"].isin(classes)]
    same = both[both["label"] == both["label_then"]]
    if len(same) < (1 - RELABELLED) * len(both):
        share = 1 - len(same) / len(both)
        objection = (
            f"{share:.0%} of the samples have other labels than when the champion was made, so that cross-validation "
            "cannot judge: look at the labels"
        )
        return Judgement(ground, None, len(same), objection)
    if same.empty:
        return Judgement(ground, None, 0, f"no sample of {ground} has a class that both models know")
    gain = _gain(same)
    found = Judgement(ground, gain, len(same))
    if gain.high < 0:
        return replace(found, objection=f"worse than the champion: {found}")
    if gain.mean < -margin:
        return replace(found, objection=f"seems worse than the champion by more than {margin:g} points: {found}")
    return found


def _gain(both: "pd.DataFrame") -> Gain:
    """With the interval of a bootstrap over classes, or over samples where classes are few."""
    from uml_pipeline.learn.statistics import paired_gain

    few = both["label"].nunique() < _CLASSES
    cluster = np.arange(len(both)) % _CLUSTERS if few else both["label"].to_numpy()
    summed = both.assign(count=1.0).groupby(cluster)[["correct", "correct_then", "count"]].sum()
    ours, theirs, counts = summed.to_numpy().T[:, None, :]  # [1, cluster]
    return Gain.model_validate(vars(paired_gain(ours, theirs, counts)))
