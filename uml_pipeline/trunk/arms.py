"""An arm of the comparison: one way to get a linear head, with its settings. All arms have the same budget."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from uml_pipeline.learn import joint
from uml_pipeline.learn.calibration import calibrated
from uml_pipeline.learn.workers import each
from uml_pipeline.trunk.problem import Problem
from uml_pipeline.trunk.task import task_of

Kind = Literal["image-only", "bridge", "text-only", "uml", "control"]
_LEAST = 64  # one auxiliary batch in so many steps


@dataclass(frozen=True)
class Setting:
    """One point of an arm's grid."""

    scale: float = 10.0  # turns the head's cosines into logits; of gradient arms, at the start
    learning_rate: float = 0.0
    weight_decay: float = 0.0
    batch: int = 0  # samples a step and modality
    learn_scales: bool = False
    alpha: float = 0.0  # weight of the auxiliary loss
    auxiliary_shots: str = "all"  # auxiliary samples a class: all, average, or a number
    ratio: float = 1.0  # auxiliary batches for one of the target
    prior: float = 0.0  # in closed form: weight of the silos, times what likelihood gives
    noise: float = 1.0  # in closed form: times the scatter of samples around their class
    strength: float = 1.0  # C of the logistic regression


@dataclass(frozen=True)
class Fit:
    """The head at its best look (the earliest of equals), and validation log-loss at each look."""

    head: Tensor  # [class, d]
    scale: float  # the logit scale at which it is best calibrated
    best: int
    curve: tuple[float, ...]

    @property
    def loss(self) -> float:
        """Validation log-loss of `head` at `scale`."""
        return self.curve[self.best]


@dataclass(frozen=True, kw_only=True)
class _Arm:
    """What every arm says of itself."""

    name: str
    label: str
    kind: Kind
    about: str
    silos: tuple[str, ...] = ()  # auxiliary silos that it reads
    settings: tuple[Setting, ...]


@dataclass(frozen=True, kw_only=True)
class Solved(_Arm):
    """Its head comes from a formula or a convex problem."""

    head: Callable[[Problem, Setting], Tensor]  # [class, d]

    def solve(self, problem: Problem) -> list[Fit]:
        """A fit for every setting, judged on the problem's validation samples."""
        own, val = problem.of(self.silos), problem.val
        heads = [self.head(own, setting) for setting in self.settings]
        logits = [setting.scale * val.x @ head.T for setting, head in zip(self.settings, heads, strict=True)]
        judged = zip(heads, self.settings, *calibrated(torch.stack(logits), val.y), strict=True)
        return [Fit(head, setting.scale * float(by), 0, (float(loss),)) for head, setting, loss, by in judged]

    def refit(self, problem: Problem, setting: Setting, look: int) -> Tensor:
        """The head of one setting, without validation: [class, d]."""
        return self.head(problem.of(self.silos), setting)

    def steps(self, look: int) -> int:
        """Gradient steps taken up to a look."""
        return 0


@dataclass(frozen=True, kw_only=True)
class Trained(_Arm):
    """Its head, and a projection before it, are trained by the joint engine."""

    budget: joint.Budget
    projection: bool
    init: str = "random"

    def runs(self) -> list[joint.Run]:
        """One a setting."""
        return [self._run(setting) for setting in self.settings]

    def _run(self, setting: Setting) -> joint.Run:
        shots = setting.auxiliary_shots
        return joint.Run(
            setting.learning_rate,
            setting.weight_decay,
            setting.batch,
            setting.alpha,
            setting.scale,
            setting.learn_scales,
            self.projection,
            self.init,
            int(shots) if shots.isdigit() else shots,  # type: ignore[arg-type]
            Fraction(setting.ratio).limit_denominator(_LEAST),
        )

    def task(self, problem: Problem) -> joint.Task:
        """The problem as the arm's runs read it."""
        return task_of(problem.of(self.silos), [self.init])

    def refit(self, problem: Problem, setting: Setting, look: int) -> Tensor:
        """The head of one setting after `look` looks, without validation: [class, d]."""
        fit = joint.retrain(self.task(problem), self._run(setting), self.budget, look)
        return fit.folded[: len(problem.means)]

    def steps(self, look: int) -> int:
        """Gradient steps taken up to a look: the first look follows the first step."""
        return 1 + look * self.budget.every


Arm = Solved | Trained


def train(arms: Sequence[Trained], problems: Sequence[Problem]) -> list[dict[str, list[Fit]]]:
    """All settings of all arms, which have one budget, on all problems: of each problem, fits by the arms' names."""
    together: dict[tuple[str, ...], list[Trained]] = {}
    for arm in arms:
        together.setdefault(arm.silos, []).append(arm)
    found: list[dict[str, list[Fit]]] = [{} for _ in problems]
    for silos, sharing in together.items():
        runs = [run for arm in sharing for run in arm.runs()]
        task = partial(_task, silos, {arm.init for arm in sharing})
        jobs = [(one, runs) for one in each(task, problems)]
        for problem, fits, of in zip(problems, joint.train(jobs, arms[0].budget), found, strict=True):
            ready = iter([_slim(fit, len(problem.means)) for fit in fits])
            for arm in sharing:
                of[arm.name] = [next(ready) for _ in arm.settings]
    return found


def _task(silos: tuple[str, ...], inits: set[str], problem: Problem) -> joint.Task:
    return task_of(problem.of(silos), inits)


def _slim(fit: joint.Fit, classes: int) -> Fit:
    """As one head on the features, of the target's classes alone."""
    return Fit(fit.folded[:classes], float(fit.scales[0]) * fit.factor, fit.best, fit.curve)
