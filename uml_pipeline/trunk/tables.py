"""Results as tables: one row a run, hits a class, accuracies and gains."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from uml_pipeline.learn.statistics import paired_gain
from uml_pipeline.trunk.decision import Named
from uml_pipeline.trunk.probe import Result


def runs(results: Sequence[Result]) -> pd.DataFrame:
    """One row an arm and episode: the chosen setting, validation and test accuracy in percent."""
    return pd.DataFrame(
        {
            "method": one.arm.name,
            "shots": one.episode.shots,
            "seed": one.episode.seed,
            "val": 100 * one.val,
            "test": 100 * one.test,
            "look": one.fits[one.chosen].best,
            **vars(one.setting),
        }
        for one in results
    )


def summary(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Mean and spread (sample standard deviation over seeds) of the test accuracy of each method and shots."""
    grouped = table.groupby(["method", "shots"], sort=False)["test"].agg(["count", "mean", "std"]).reset_index()
    columns = ["method", "shots", "seeds", "mean", "std"]
    named = grouped.rename(columns={"count": "seeds"})[columns]
    return [dict(zip(columns, row, strict=True)) for row in named.itertuples(index=False)]


def arms(lineup: Sequence[Named]) -> dict[str, dict[str, str]]:
    """What each method is, for people."""
    return {arm.name: {"label": arm.label, "kind": arm.kind, "about": arm.about} for arm in lineup}


def gains(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Every arm that reads auxiliary silos against the strongest arm of the target's modality at the same shots.

    That is one without auxiliary silos; for arms that read a bridge, one that has the bridge too. The strongest is
    taken by its test accuracy, which favours the peer.
    """
    out = []
    for shots in sorted({one.episode.shots for one in results}):
        here = [one for one in results if one.episode.shots == shots]
        names = list(dict.fromkeys(one.arm.name for one in here))
        correct = {name: np.stack([one.correct for one in here if one.arm.name == name]) for name in names}
        counts = np.stack([one.counts for one in here if one.arm.name == names[0]])
        kinds = {one.arm.name: one.arm.kind for one in here}
        bridged = {one.arm.name: set(one.arm.silos) for one in here}
        bridges = set().union(*(bridged[name] for name in names if kinds[name] == "bridge"))
        for name in names:
            if kinds[name] not in ("image-only", "text-only"):
                fair = ("image-only", "bridge") if kinds[name] == "uml" and bridged[name] & bridges else ("image-only",)
                against = max((peer for peer in names if kinds[peer] in fair), key=lambda peer: correct[peer].sum())
                gain = paired_gain(correct[name], correct[against], counts)
                out.append({"method": name, "against": against, "shots": shots, **vars(gain)})
    return out
