"""Which classes it helps and which it hurts: by class over all splits, and sample by sample on the test split."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from uml_pipeline.learn.statistics import LEVEL, RESAMPLES
from uml_pipeline.report.understanding.contenders import Contest
from uml_pipeline.report.understanding.reasons import CannotSay
from uml_pipeline.silo.manifest import CONTENT
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace

SHOWN, EXAMPLES = 8, 3  # classes, confusions and samples of each kind; samples of one confusion


@dataclass(frozen=True)
class Difference:
    """One class: accuracy of ours minus the baseline's, in percentage points, with its 95 % interval."""

    label: str
    mean: float
    low: float
    high: float
    samples: int
    """Test samples, summed over splits."""


def by_class(study: Study, contest: Contest) -> list[dict[str, Any]]:
    """For each number of shots the most helped and the most hurt classes, with intervals over splits.

    Each interval is for one class by itself: among many, some are clear of zero by chance, and extremes exaggerate.
    `beyond_noise` counts those that are, either way; `by_chance` is how many would be if no class differed.

    Raises:
        CannotSay: hits by class are not kept in this mode.
    """
    path = Workspace(study.folder).reading("trunk") / "classes.parquet"
    if not path.is_file():
        raise CannotSay("hits by class are kept in mode probe, by this version's trunk")
    table = pd.read_parquet(path)
    return [_at(shots, rows, contest) for shots, rows in table.groupby("shots")]


def _at(shots: Any, table: pd.DataFrame, contest: Contest) -> dict[str, Any]:
    found = differences(*(table[table["method"] == one.method] for one in (contest.ours, contest.baseline)))
    helped = sorted((one for one in found if one.mean > 0), key=lambda one: (-one.mean, -one.low, one.label))
    hurt = sorted((one for one in found if one.mean < 0), key=lambda one: (one.mean, one.high, one.label))
    return {
        "shots": int(shots),
        "classes": len(found),
        "beyond_noise": {"helped": sum(one.low > 0 for one in found), "hurt": sum(one.high < 0 for one in found)},
        "by_chance": (1 - LEVEL) * len(found),
        "helped": [asdict(one) for one in helped[:SHOWN]],
        "hurt": [asdict(one) for one in hurt[:SHOWN]],
    }


def differences(ours: pd.DataFrame, baseline: pd.DataFrame) -> list[Difference]:
    """Paired by split; bootstrap over splits. Rows have seed, label, correct and samples."""
    names = sorted(ours["label"].unique())

    def grid(table: pd.DataFrame, column: str) -> np.ndarray:
        wide = table.pivot(index="seed", columns="label", values=column)
        return wide.reindex(columns=names).fillna(0).to_numpy(np.float64)  # [split, class]

    gap, counts = grid(ours, "correct") - grid(baseline, "correct"), grid(ours, "samples")
    splits = len(gap)
    drawn = np.random.default_rng(0).multinomial(splits, np.full(splits, 1 / splits), RESAMPLES)  # [resample, split]
    shares = 100 * (drawn @ gap) / np.maximum(drawn @ counts, 1)
    low, high = np.quantile(shares, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    means, seen = 100 * gap.sum(0) / counts.sum(0), counts.sum(0)
    rows = zip(names, means, low, high, seen, strict=True)
    return [
        Difference(str(name), float(mean), float(least), float(most), int(count))
        for name, mean, least, most, count in rows
    ]


def moved(contest: Contest) -> dict[str, Any]:
    """What changed on the test split: samples newly right and newly wrong, and the confusions that moved most."""
    y, ours, theirs = contest.y, contest.ours.predicted, contest.baseline.predicted
    right, wrong = np.flatnonzero((ours == y) & (theirs != y)), np.flatnonzero((ours != y) & (theirs == y))
    return {
        "samples": len(y),
        "newly_right": {"count": len(right), "examples": [_sample(contest, at) for at in right[:SHOWN]]},
        "newly_wrong": {"count": len(wrong), "examples": [_sample(contest, at) for at in wrong[:SHOWN]]},
        "confusions": _confusions(contest),
    }


def _confusions(contest: Contest) -> list[dict[str, Any]]:
    """The entries off the diagonal of the confusion matrix that changed most."""
    pairs = {
        part: Counter(zip(contest.y.tolist(), one.predicted.tolist(), strict=True))
        for part, one in contest.both.items()
    }
    changed = {
        pair: pairs["ours"][pair] - pairs["baseline"][pair]
        for pair in pairs["ours"] | pairs["baseline"]
        if pair[0] != pair[1] and pairs["ours"][pair] != pairs["baseline"][pair]
    }
    most = sorted(changed, key=lambda pair: (-abs(changed[pair]), pair))[:SHOWN]
    return [
        {
            "label": contest.labels[true],
            "taken_for": contest.labels[taken],
            "ours": pairs["ours"][true, taken],
            "baseline": pairs["baseline"][true, taken],
            "examples": _confused(contest, true, taken),
        }
        for true, taken in most
    ]


def _confused(contest: Contest, true: int, taken: int) -> list[dict[str, Any]]:
    """Samples on which the two models differ in this confusion."""
    one, other = (contender.predicted == taken for contender in (contest.ours, contest.baseline))
    return [_sample(contest, at) for at in np.flatnonzero((contest.y == true) & (one != other))[:EXAMPLES]]


def _sample(contest: Contest, at: Any) -> dict[str, Any]:
    row = contest.rows.iloc[at]
    column = next(name for name in sorted(set(CONTENT.values())) if name in row)
    return {
        "sample_id": row["sample_id"],
        column: row[column],
        "label": row["label"],
        "ours": contest.labels[contest.ours.predicted[at]],
        "baseline": contest.labels[contest.baseline.predicted[at]],
    }
