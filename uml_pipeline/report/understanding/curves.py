"""How the joint loss depends on its weight (alpha) and on batches of the other modality (ratio)."""

from typing import Any

import numpy as np
import pandas as pd

from uml_pipeline.report.understanding.reasons import CannotSay
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace

_WIDE = 1.96
_ELSE = ["scale", "learning_rate", "weight_decay", "batch", "learn_scales", "strength"]
"""What a run without a joint loss may search, too."""
_TWINS = {"uml": ("unimodal_projected", "unimodal"), "uml_init": ("uml_init_alone",), "uml_convex": ("logreg",)}
"""The same training at alpha = 0; where spaces differ, the twin of `uml` has its projection."""


def curves(study: Study) -> dict[str, Any]:
    """By `alpha` and by `ratio`: one row an arm, number of shots and value.

    `loss` is the mean validation log-loss over splits, each with the best of the other settings; the test samples are
    read for chosen settings alone, so no accuracy could be drawn against a setting. `difference` is paired by split,
    to the arm's first value (for alpha that is 0, where the comparison has such an arm), with its 95 % interval.
    `chosen`: on how many percent of the splits validation chose the value.

    Raises:
        CannotSay: the mode keeps the chosen settings alone, or none has more than one value.
    """
    runs = pd.read_parquet(Workspace(study.folder).reading("trunk") / "runs.parquet")
    if not {"alpha", "ratio", "loss", "chosen"} <= set(runs):
        raise CannotSay("mode probe keeps every setting's loss; here the runs have those of chosen ones alone")
    found = {key: _curve(runs, key) for key in ("alpha", "ratio")}
    if not any(found.values()):
        raise CannotSay("every arm was tried with one alpha and one ratio: see `trunk.grid`")
    return found


def _curve(runs: pd.DataFrame, key: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for method, own in runs.groupby("method", sort=False):
        varied = own[own[key] > 0] if key == "alpha" else own
        if varied[key].nunique() < 2:
            continue
        if key == "alpha":
            varied = pd.concat([_twin(runs, str(method), own), varied])
        for shots, table in varied.groupby("shots"):
            rows += [{"method": str(method), "shots": int(str(shots))} | row for row in _values(table, key)]
    return rows


def _twin(runs: pd.DataFrame, method: str, own: pd.DataFrame) -> pd.DataFrame:
    """The runs of the arm that is this one at alpha = 0, with the other settings that this one has."""
    names = _TWINS.get(method, ())
    twin = next((rows for name in names if len(rows := runs[runs["method"] == name])), runs.iloc[:0])
    return twin.merge(own[_ELSE].drop_duplicates(), on=_ELSE).assign(alpha=0.0, chosen=False)


def _values(table: pd.DataFrame, key: str) -> list[dict[str, Any]]:
    losses = table.groupby(["seed", key])["loss"].min().unstack().dropna()  # [split, value]
    chosen = table[table["chosen"]][key].value_counts()
    first = losses.iloc[:, 0]
    return [
        {
            "value": float(str(value)),
            "loss": float(losses[value].mean()),
            "difference": _interval((losses[value] - first).to_numpy()) if place else None,
            "chosen": 100 * float(chosen.get(value, 0)) / max(int(chosen.sum()), 1),
        }
        for place, value in enumerate(losses)
    ]


def _interval(differences: np.ndarray) -> dict[str, float]:
    mean = float(differences.mean())
    error = _WIDE * float(differences.std(ddof=1)) / len(differences) ** 0.5
    return {"mean": mean, "low": mean - error, "high": mean + error}
