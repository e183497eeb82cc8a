"""What ships: the best arm with auxiliary silos where it beats the best without beyond noise, else the latter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from uml_pipeline.learn.statistics import Gain, paired_gain
from uml_pipeline.trunk.finetune.arms import Arm, Setting
from uml_pipeline.trunk.finetune.cells import Cell


@dataclass(frozen=True)
class Recipe:
    """An arm with one setting, and its validation log-loss over the episodes."""

    arm: Arm
    setting: Setting
    loss: float


@dataclass(frozen=True)
class Decision:
    """The recipe that ships, the best target-only recipe, and why."""

    ships: Recipe
    baseline: Recipe
    gain: Gain | None
    reason: str

    def describe(self) -> dict[str, Any]:
        """For JSON."""
        gain = vars(self.gain) if self.gain else None
        return {"method": self.ships.arm.name, "against": self.baseline.arm.name, "reason": self.reason, "val": gain}


def decide(lineup: Sequence[Arm], cells: Sequence[Cell]) -> Decision:
    """Promise 1, never worse. Each side's best arm is chosen by validation log-loss; the two are compared on samples
    that neither training nor that choice has seen (`Cell.judged`).

    Args:
        lineup: all arms.
        cells: those of the most shots, on episodes that keep off the test split.
    """
    baseline = min(_recipes(lineup, cells, "image-only"), key=lambda one: one.loss)
    rivals = _recipes(lineup, cells, "uml")
    if not rivals:
        return Decision(baseline, baseline, None, "no auxiliary silo is in use")
    rival = min(rivals, key=lambda one: one.loss)
    gain = _gain(rival, baseline, cells)
    numbers = f"{gain.mean:+.1f} points on samples held back, 95 % interval {gain.low:+.1f} to {gain.high:+.1f}"
    if gain.low > 0:
        return Decision(rival, baseline, gain, f"{rival.arm.label} beats {baseline.arm.label}: {numbers}")
    reason = f"{rival.arm.label} is not better than {baseline.arm.label} beyond noise: {numbers}"
    return Decision(baseline, baseline, gain, reason)


def _recipes(lineup: Sequence[Arm], cells: Sequence[Cell], kind: str) -> list[Recipe]:
    """Each arm of that kind with the setting that is best on average."""
    found = []
    for arm in lineup:
        if arm.kind == kind:
            own = [cell for cell in cells if cell.arm == arm.name]
            losses = np.mean([[one["score"] for one in cell.settings] for cell in own], axis=0)
            found.append(Recipe(arm, arm.settings[int(losses.argmin())], float(losses.min())))
    return found


def _gain(ours: Recipe, theirs: Recipe, cells: Sequence[Cell]) -> Gain:
    own, other = ([cell.judged for cell in cells if cell.arm == one.arm.name] for one in (ours, theirs))
    counts = np.stack([all_ for _, all_ in own])
    return paired_gain(np.stack([right for right, _ in own]), np.stack([right for right, _ in other]), counts)
