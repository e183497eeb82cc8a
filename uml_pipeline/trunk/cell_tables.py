"""Cells as tables, in the layout of probe mode; and the curves of every training."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from uml_pipeline.learn.statistics import paired_gain
from uml_pipeline.trunk.cells import Arm, Cell


def runs(cells: Sequence[Cell]) -> pd.DataFrame:
    """One row an arm and episode: the chosen setting, validation and test accuracy in percent."""
    return pd.DataFrame(
        {
            "method": one.arm,
            "shots": one.shots,
            "seed": one.seed,
            "val": one.accuracy,
            "test": _percent(one.test),
            "judged": _percent(one.judged),
            "steps": one.settings[one.chosen]["best"],
            **vars(one.setting),
        }
        for one in cells
    )


def curves(cells: Sequence[Cell]) -> pd.DataFrame:
    """One row a look of every training: losses, learning rate, validation, and cosines of gradients."""
    return pd.DataFrame(
        {"method": cell.arm, "shots": cell.shots, "seed": cell.seed, **one["setting"], "chosen": place == cell.chosen}
        | look
        for cell in cells
        for place, one in enumerate(cell.settings)
        for look in one["history"]
    )


def gains(lineup: Sequence[Arm], cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Every arm that reads auxiliary silos against the target-only arm that is best on test, which favours the peer."""
    found = []
    for shots in sorted({cell.shots for cell in cells}):
        here = {arm.name: [cell for cell in cells if (cell.arm, cell.shots) == (arm.name, shots)] for arm in lineup}
        right = {name: np.stack([cell.test[0] for cell in own]) for name, own in here.items()}
        alone = [arm.name for arm in lineup if arm.kind == "image-only"]
        against = max(alone, key=lambda name: right[name].sum())
        counts = np.stack([cell.test[1] for cell in here[against]])
        for arm in lineup:
            if arm.kind != "image-only":
                gain = paired_gain(right[arm.name], right[against], counts)
                found.append({"method": arm.name, "against": against, "shots": shots, **vars(gain)})
    return found


def _percent(pair: tuple[np.ndarray, np.ndarray]) -> float:
    right, counts = pair
    return 100 * float(right.sum() / counts.sum())
