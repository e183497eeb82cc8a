"""What mode ssl adds to the tables of all gradient modes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from uml_pipeline.learn.sequence.monitors import without_learning
from uml_pipeline.learn.sequence.network import modality
from uml_pipeline.learn.splits import sides
from uml_pipeline.trunk import cell_tables
from uml_pipeline.trunk.ssl.cells import Cell
from uml_pipeline.trunk.ssl.inputs import Inputs


def runs(cells: Sequence[Cell]) -> pd.DataFrame:
    """As in other modes, with the test accuracy of nearest neighbours (percent) and the representation's rank."""
    table = cell_tables.runs(cells)
    table["nearest"] = [100 * float(right.sum() / counts.sum()) for right, counts in (one.nearest for one in cells)]
    table["rank"] = [one.rank for one in cells]
    return table


def monitors(inputs: Inputs, cells: Sequence[Cell]) -> dict[str, Any]:
    """Has anything collapsed, is anything learnt? Of each arm, means over the seeds: effective rank of the
    representation, accuracy by nearest neighbours at the most shots, and loss of the target on the validation side
    when training ended; beside it the loss of who copies the last step, or says the mean.
    """
    most = max(one.shots for one in cells)
    by_arm: dict[str, list[Cell]] = {}
    for one in cells:
        if one.shots == most:
            by_arm.setdefault(one.arm, []).append(one)
    return {"arms": {arm: _arm(own) for arm, own in by_arm.items()}, "without_learning": _without(inputs)}


def _arm(cells: Sequence[Cell]) -> dict[str, float]:
    hits, counts = (sum(part[at].sum() for part in (one.nearest for one in cells)) for at in (0, 1))
    found = {"rank": float(np.mean([one.rank for one in cells])), "nearest": 100 * float(hits / counts)}
    histories = [one.settings[one.chosen]["history"] for one in cells]
    if all(histories):
        found["loss"] = float(np.mean([history[-1]["loss"] for history in histories]))
    return found


def _without(inputs: Inputs) -> dict[str, float]:
    """Of the first seed."""
    config = inputs.study.params.trunk.ssl
    train, val, _ = sides(inputs.manifest, 0)
    target = modality("target", [inputs.x[row] for row in train], config.network, 0, config.objective)
    return without_learning(target, [inputs.x[row] for row in val])
