"""On how many splits is one arm better than another? Counted from the trunk's runs."""

from pathlib import Path

import pandas as pd

from uml_pipeline.report.results import Gain, Trunk
from uml_pipeline.workspace import read_json


def read_trunk(folder: Path) -> Trunk:
    """artifacts/trunk/metrics.json, each gain with the number of splits that agree, from runs.parquet."""
    trunk = Trunk.model_validate(read_json(folder / "metrics.json"))
    runs = pd.read_parquet(folder / "runs.parquet")
    return trunk.model_copy(update={"gains": _counted(trunk.gains, runs)})


def _counted(gains: list[Gain], runs: pd.DataFrame) -> list[Gain]:
    if not {"method", "shots", "seed", "test"} <= set(runs):
        return gains
    tested = runs.dropna(subset="test").groupby(["shots", "method", "seed"])["test"].first()
    found = []
    for gain in gains:
        ours, theirs = (_by_split(tested, gain.shots, method) for method in (gain.method, gain.against))
        splits = ours.index.intersection(theirs.index)
        count = {"better": int((ours[splits] > theirs[splits]).sum()), "splits": len(splits)} if len(splits) else {}
        found.append(gain.model_copy(update=count))
    return found


def _by_split(tested: pd.Series, shots: int, method: str) -> pd.Series:
    chosen = (tested.index.get_level_values("shots") == shots) & (tested.index.get_level_values("method") == method)
    return tested[chosen].droplevel(["shots", "method"])
