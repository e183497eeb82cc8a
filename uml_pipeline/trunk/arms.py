"""The arms of the comparison: from where each starts, what it reads, with which settings. All have the same budget."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

from uml_pipeline.learn.heads import Budget, Fit, Run, accuracy, train, train_until
from uml_pipeline.learn.logistic import fit as fit_logistic
from uml_pipeline.trunk.problem import Problem

Kind = Literal["image-only", "text-only", "uml", "control"]
BUDGET = Budget()


@dataclass(frozen=True)
class Setting:
    """One point of an arm's grid."""

    scale: float = 10.0  # turns the head's cosines into logits
    learning_rate: float = 0.0
    alpha: float = 0.0  # weight of the auxiliary loss
    prior: float = 0.0  # weight of the auxiliary class means in the start
    strength: float = 1.0  # C of the logistic regression


@dataclass(frozen=True)
class Arm:
    """One way to get a linear head."""

    name: str
    label: str
    kind: Kind
    about: str
    start: Callable[[Problem, Setting], Tensor]  # the head before any gradient step, [class, d]
    settings: tuple[Setting, ...]
    silos: tuple[str, ...] = ()  # auxiliary silos that it reads
    trained: bool = True

    def solve(self, problem: Problem) -> list[Fit]:
        """A fit for every setting, judged on the problem's validation samples."""
        own = problem.of(self.silos)
        starts = [self.start(own, setting) for setting in self.settings]
        if self.trained:
            return train(own.task, [_run(*both) for both in zip(starts, self.settings, strict=True)], BUDGET)
        values = accuracy(torch.stack(starts), own.task.val).tolist()
        return [Fit(head, 0, [value]) for head, value in zip(starts, values, strict=True)]

    def refit(self, problem: Problem, setting: Setting, look: int) -> Tensor:
        """The head of one setting after `look` looks, without validation: [class, d]."""
        own = problem.of(self.silos)
        start = self.start(own, setting)
        return train_until(own.task, _run(start, setting), BUDGET, look) if self.trained else start


def _run(start: Tensor, setting: Setting) -> Run:
    return Run(start, setting.learning_rate, setting.scale, setting.alpha)


def arms(used: Sequence[str], forced: Sequence[str]) -> list[Arm]:
    """All arms of a study, given the silos found relevant, and those forced in as controls."""
    controls = [_with_prior((silo,), f"uml_{silo}", f"UML, {silo} forced in", "control") for silo in forced]
    return [*_target_alone(), *(_with_silos(tuple(used)) if used else []), *controls]


def _target_alone() -> list[Arm]:
    rates = (3e-3, 1e-2, 3e-2)
    return [
        Arm(
            "class_mean",
            "nearest class mean",
            "image-only",
            "Each class is the mean of its samples; nothing is trained.",
            _means,
            (Setting(),),
            trained=False,
        ),
        Arm(
            "logreg",
            "logistic regression",
            "image-only",
            "Convex, no intercept, C tuned on the validation samples.",
            _logistic,
            tuple(Setting(scale=1.0, strength=c) for c in (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)),
            trained=False,
        ),
        Arm(
            "unimodal",
            "linear probe",
            "image-only",
            "The paper's baseline: random start, target samples alone.",
            _random,
            tuple(Setting(scale, rate) for scale, rate in product((5.0, 10.0), rates)),
        ),
        Arm(
            "unimodal_mean",
            "linear probe from class means",
            "image-only",
            "The same probe, started at the class means: UML's fair control.",
            _means,
            tuple(Setting(scale, rate) for scale, rate in product((10.0, 20.0), (1e-3, 3e-3, 1e-2))),
        ),
    ]


def _with_silos(silos: tuple[str, ...]) -> list[Arm]:
    joint = tuple(Setting(10.0, rate, alpha) for rate, alpha in product((3e-3, 1e-2, 3e-2), (0.3, 1.0)))
    return [
        Arm(
            "zero_shot",
            "zero-shot from the auxiliary silos",
            "text-only",
            "Class means of the auxiliary silos alone; no target sample.",
            _prototypes,
            (Setting(),),
            silos,
            trained=False,
        ),
        Arm("uml", "UML", "uml", "The paper's form: random start, joint loss.", _random, joint, silos),
        Arm(
            "uml_init",
            "UML (init)",
            "uml",
            "The paper's UML(init): started at the auxiliary class means, joint loss.",
            _prototypes,
            tuple(Setting(10.0, rate, alpha) for rate, alpha in product((1e-3, 3e-3, 1e-2), (0.3, 1.0))),
            silos,
        ),
        _with_prior(silos, "uml_prior", "UML from class means with prior", "uml"),
    ]


def _with_prior(silos: tuple[str, ...], name: str, label: str, kind: Kind) -> Arm:
    grid = product((0.25, 0.5, 1.0), (0.3, 1.0))
    about = "Closed-form start (target class means plus auxiliary class means), then the joint loss."
    return Arm(
        name, label, kind, about, _prior, tuple(Setting(10.0, 3e-3, alpha, prior) for prior, alpha in grid), silos
    )


def _random(problem: Problem, setting: Setting) -> Tensor:
    """PyTorch's default for a linear layer, by the episode's seed."""
    classes, d = problem.means.shape
    draw = torch.Generator().manual_seed(problem.task.seed)
    return (2 * torch.rand(classes, d, generator=draw) - 1) / d**0.5


def _means(problem: Problem, setting: Setting) -> Tensor:
    return problem.means


def _logistic(problem: Problem, setting: Setting) -> Tensor:
    return fit_logistic(problem.task.train, len(problem.means), setting.strength)


def _prototypes(problem: Problem, setting: Setting) -> Tensor:
    """UML(init): the auxiliary class means; the target's own mean where no silo has a sample of the class."""
    prototypes = normalize(problem.prototypes.sum(0), dim=1)
    silent = prototypes.abs().sum(1, keepdim=True) == 0
    return torch.where(silent, problem.means, prototypes)


def _prior(problem: Problem, setting: Setting) -> Tensor:
    return normalize(problem.means + setting.prior * normalize(problem.prototypes.sum(0), dim=1), dim=1)
