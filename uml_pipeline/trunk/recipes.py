"""What ships in the gradient modes: the best arm with auxiliary silos, if it beats the best without beyond noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from uml_pipeline.learn.statistics import Gain, paired_gain
from uml_pipeline.trunk.cells import Arm, Cell, Setting
from uml_pipeline.trunk.decision import Decision, never_worse

SomeArm = TypeVar("SomeArm", bound=Arm)


@dataclass(frozen=True)
class Recipe(Generic[SomeArm]):
    """An arm with one setting, and its validation log-loss over the episodes."""

    arm: SomeArm
    setting: Setting
    loss: float


def decide(lineup: Sequence[SomeArm], cells: Sequence[Cell]) -> Decision[Recipe[SomeArm]]:
    """Promise 1, never worse. Each side's best arm is chosen by validation log-loss; the two are compared on samples
    that neither training nor that choice has seen (`Cell.judged`).

    Args:
        lineup: all arms.
        cells: those of the most shots, on episodes that keep off the test split.
    """
    alone, rivals = (_recipes(lineup, cells, kind) for kind in ("image-only", "uml"))
    return never_worse(alone, rivals, lambda ours, theirs: _gain(ours, theirs, cells), on="on samples held back")


def _recipes(lineup: Sequence[SomeArm], cells: Sequence[Cell], kind: str) -> list[Recipe[SomeArm]]:
    """Each arm of that kind with the setting that is best on average."""
    found = []
    for arm in lineup:
        if arm.kind == kind:
            own = [cell for cell in cells if cell.arm == arm.name]
            losses = np.mean([[one["score"] for one in cell.settings] for cell in own], axis=0)
            found.append(Recipe(arm, arm.settings[int(losses.argmin())], float(losses.min())))
    return found


def _gain(ours: Recipe[SomeArm], theirs: Recipe[SomeArm], cells: Sequence[Cell]) -> Gain:
    own, other = ([cell.judged for cell in cells if cell.arm == one.arm.name] for one in (ours, theirs))
    counts = np.stack([all_ for _, all_ in own])
    return paired_gain(np.stack([right for right, _ in own]), np.stack([right for right, _ in other]), counts)
