"""What ships: judged by cross-validation off the test split, refit on all labelled samples off the test split."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from uml_pipeline.learn.statistics import Gain, paired_gain
from uml_pipeline.trunk.arms import Arm, Setting
from uml_pipeline.trunk.decision import Decision, never_worse
from uml_pipeline.trunk.probe import Result, hits, mean_curve
from uml_pipeline.trunk.problem import Problem


@dataclass(frozen=True)
class Recipe:
    """An arm with one setting and one length of training, and its cross-validated log-loss."""

    arm: Arm
    setting: Setting
    look: int
    scale: float  # logit scale at which it is calibrated
    loss: float

    @property
    def steps(self) -> int:
        """Gradient steps taken."""
        return self.arm.steps(self.look)

    def describe(self) -> dict[str, Any]:
        """For JSON."""
        return {"method": self.arm.name, "setting": vars(self.setting), "steps": self.steps, "loss": self.loss}


def decide(results: Sequence[Result], problems: dict[int, Problem]) -> Decision[Recipe]:
    """An auxiliary silo ships only if it helps beyond noise (promise 1, never worse).

    Args:
        results: of all arms at the most shots, on episodes that keep off the test split.
        problems: these episodes' problems by seed.
    """
    alone = _recipes(results, "image-only")
    rivals = [*_recipes(results, "uml"), *_recipes(results, "bridge")]
    return never_worse(
        alone,
        rivals,
        lambda ours, theirs: _gain(ours, theirs, problems),
        on="in cross-validation",
        provided="with all labelled samples, ",
    )


def _recipes(results: Sequence[Result], kind: str) -> list[Recipe]:
    """The best recipe of each arm of that kind."""
    arms = {result.arm.name: result.arm for result in results if result.arm.kind == kind}
    return [_recipe(arm, [one for one in results if one.arm.name == name]) for name, arm in arms.items()]


def _recipe(arm: Arm, results: Sequence[Result]) -> Recipe:
    curves = [mean_curve([result.fits[index] for result in results]) for index in range(len(arm.settings))]
    index = int(np.argmin([curve.min() for curve in curves]))
    look = int(curves[index].argmin())
    scale = float(np.median([result.fits[index].scale for result in results]))
    return Recipe(arm, arm.settings[index], look, scale, float(curves[index][look]))


def _gain(ours: Recipe, theirs: Recipe, problems: dict[int, Problem]) -> Gain:
    """Paired difference on the validation samples, both recipes trained again without looking at them."""
    sides = []
    for recipe in (ours, theirs):
        heads = [recipe.arm.refit(problem, recipe.setting, recipe.look) for problem in problems.values()]
        sides.append([hits(head, problem.val) for head, problem in zip(heads, problems.values(), strict=True)])
    own, other = (np.stack([correct for correct, _ in side]) for side in sides)
    return paired_gain(own, other, np.stack([counts for _, counts in sides[0]]))
