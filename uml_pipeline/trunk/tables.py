"""Results as tables: one row a run, hits a class, accuracies and gains."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from uml_pipeline.learn.statistics import paired_gain
from uml_pipeline.trunk.decision import Named
from uml_pipeline.trunk.probe import Result


def runs(results: Sequence[Result]) -> pd.DataFrame:
    """One row a run: an arm with one setting on an episode, and its validation log-loss. Accuracies (percent) on the
    validation and the test samples are those of the setting that was chosen; the others never read the test samples.
    """
    return pd.DataFrame(
        {
            "method": one.arm.name,
            "shots": one.episode.shots,
            "seed": one.episode.seed,
            **vars(setting),
            "look": fit.best,
            "loss": fit.loss,
            "chosen": number == one.chosen,
            "val": 100 * one.val if number == one.chosen else None,
            "test": 100 * one.test if number == one.chosen else None,
        }
        for one in results
        for number, (setting, fit) in enumerate(zip(one.arm.settings, one.fits, strict=True))
    )


def classes(results: Sequence[Result], names: Sequence[str]) -> pd.DataFrame:
    """One row an arm, an episode and a class that it tests: test samples recognised, and how many there are."""
    tested = [(one, np.flatnonzero(one.counts)) for one in results]
    rows = [len(there) for _, there in tested]
    return pd.DataFrame(
        {
            "method": pd.Categorical(np.repeat([one.arm.name for one, _ in tested], rows)),
            "shots": np.repeat([one.episode.shots for one, _ in tested], rows),
            "seed": np.repeat([one.episode.seed for one, _ in tested], rows),
            "label": pd.Categorical(np.asarray(names)[np.concatenate([there for _, there in tested])]),
            "correct": np.concatenate([one.correct[there] for one, there in tested]),
            "samples": np.concatenate([one.counts[there] for one, there in tested]),
        }
    )


def summary(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Mean and spread (sample standard deviation over seeds) of the test accuracy of each method and shots."""
    grouped = (
        table.dropna(subset="test")
        .groupby(["method", "shots"], sort=False)["test"]
        .agg(["count", "mean", "std"])
        .reset_index()
    )
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
