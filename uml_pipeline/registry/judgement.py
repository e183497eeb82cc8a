"""Is a challenger worse than the champion? A paired comparison on samples that neither has learnt from."""

from dataclasses import dataclass
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
    objection: str | None


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
    if not len(same):
        return Judgement(
            ground, None, 0, f"{ground} has no sample that both models know: give the target a larger `gate`"
        )
    gain = _gain(same)
    relabelled = 1 - len(same) / len(both)
    on = f"{gain} on {len(same)} samples of {'the gate' if ground == 'gate' else ground}"
    if relabelled > RELABELLED:
        objection = (
            f"{relabelled:.0%} of the samples have other labels than when the champion was made, so that "
            "cross-validation cannot judge: look at the labels"
        )
    elif gain.high < 0:
        objection = f"worse than the champion: {on}"
    elif gain.mean < -margin:
        objection = f"seems worse than the champion by more than {margin:g} points: {on}"
    else:
        objection = None
    return Judgement(ground, gain, len(same), objection)


def _gain(both: "pd.DataFrame") -> Gain:
    """With the interval of a bootstrap over classes, or over samples where classes are few."""
    from uml_pipeline.learn.statistics import paired_gain

    few = both["label"].nunique() < _CLASSES
    cluster = np.arange(len(both)) % _CLUSTERS if few else both["label"].to_numpy()
    summed = both.assign(count=1.0).groupby(cluster)[["correct", "correct_then", "count"]].sum()
    ours, theirs, counts = summed.to_numpy().T[:, None, :]  # [1, cluster]
    return Gain.model_validate(vars(paired_gain(ours, theirs, counts)))
