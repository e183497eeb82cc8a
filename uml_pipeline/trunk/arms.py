"""The arms of the comparison: from where each starts, what it reads, with which settings. All have the same budget."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

from uml_pipeline.learn.heads import Budget, Fit, Run, Samples, log_loss, train, train_until
from uml_pipeline.learn.logistic import fit as fit_logistic
from uml_pipeline.trunk.problem import Problem

Kind = Literal["image-only", "bridge", "text-only", "uml", "control"]
BUDGET = Budget()


@dataclass(frozen=True)
class Setting:
    """One point of an arm's grid."""

    scale: float = 10.0  # turns the head's cosines into logits
    learning_rate: float = 0.0
    alpha: float = 0.0  # weight of the auxiliary loss
    prior: float = 0.0  # weight of the auxiliary class means in the start; in closed form, of what likelihood gives
    noise: float = 1.0  # in closed form: times the scatter of samples around their class
    strength: float = 1.0  # C of the logistic regression


_CLOSED = tuple(Setting(prior=prior, noise=noise) for prior, noise in product((1.0, 0.3), (1.0, 0.5)))


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
        scales = torch.tensor([setting.scale for setting in self.settings])
        judged = zip(starts, *log_loss(torch.stack(starts), own.task.val, scales), strict=True)
        return [Fit(head, scale, 0, [loss]) for head, loss, scale in judged]

    def refit(self, problem: Problem, setting: Setting, look: int) -> Tensor:
        """The head of one setting after `look` looks, without validation: [class, d]."""
        own = problem.of(self.silos)
        start = self.start(own, setting)
        return train_until(own.task, _run(start, setting), BUDGET, look) if self.trained else start


def _run(start: Tensor, setting: Setting) -> Run:
    return Run(start, setting.learning_rate, setting.scale, setting.alpha)


@dataclass(frozen=True)
class Lineup:
    """The auxiliary silos by what they are to the target."""

    sharing: tuple[str, ...] = ()  # share classes with it
    beside: tuple[str, ...] = ()  # share classes with a bridge alone
    bridges: tuple[str, ...] = ()  # its own modality and encoder
    forced: tuple[str, ...] = ()  # with an arm of their own, as controls
    aligned: bool = True  # all sharing silos lie in its feature space

    @property
    def speaking(self) -> tuple[str, ...]:
        """Silos of other modalities or encoders."""
        return (*self.sharing, *self.beside)


def arms(found: Lineup) -> list[Arm]:
    """All arms of a study.

    Only where the sharing silos lie in the target's space is there a zero-shot arm: a projection is fitted to the
    target's class means, so that nothing behind it is without target samples.
    """
    zero_shot = [_zero_shot(found.sharing)] if found.sharing and found.aligned else []
    joint = _with_silos(found.sharing) if found.sharing else []
    bridged = _with_bridges(found.bridges) if found.bridges else []
    closed = _closed((*found.speaking, *found.bridges)) if found.speaking else []
    controls = [_convex((silo,), f"uml_{silo}", f"Convex UML, {silo} forced in", "control") for silo in found.forced]
    return [*_target_alone(), *bridged, *zero_shot, *joint, *closed, *controls]


def _target_alone() -> list[Arm]:
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
            tuple(Setting(scale=1.0, strength=c) for c in (3.0, 10.0, 30.0, 100.0)),
            trained=False,
        ),
        Arm(
            "unimodal",
            "linear probe",
            "image-only",
            "The paper's baseline: random start, target samples alone.",
            _random,
            tuple(Setting(scale, rate) for scale, rate in product((5.0, 10.0), (1e-2, 3e-2))),
        ),
        Arm(
            "unimodal_mean",
            "linear probe from class means",
            "image-only",
            "The same probe, started at the class means: UML's fair control.",
            _means,
            tuple(Setting(scale, rate) for scale, rate in product((10.0, 20.0), (3e-3, 1e-2))),
        ),
    ]


def _zero_shot(silos: tuple[str, ...]) -> Arm:
    label, about = "zero-shot from the auxiliary silos", "Class means of the auxiliary silos alone; no target sample."
    return Arm("zero_shot", label, "text-only", about, _prototypes, (Setting(),), silos, trained=False)


def _with_silos(silos: tuple[str, ...]) -> list[Arm]:
    joint = tuple(Setting(10.0, rate, alpha) for rate, alpha in product((1e-2, 3e-2), (0.3, 1.0)))
    return [
        Arm("uml", "UML", "uml", "The paper's form: random start, joint loss.", _random, joint, silos),
        Arm(
            "uml_init",
            "UML (init)",
            "uml",
            "The paper's UML(init): started at the auxiliary class means, joint loss.",
            _prototypes,
            tuple(Setting(10.0, rate, alpha) for rate, alpha in product((3e-3, 1e-2), (0.3, 1.0))),
            silos,
        ),
        Arm(
            "uml_prior",
            "UML from class means with prior",
            "uml",
            "Closed-form start (target class means plus auxiliary class means), then the joint loss.",
            _prior,
            tuple(Setting(10.0, 3e-3, alpha, prior) for prior, alpha in product((0.25, 0.75), (0.3, 1.0))),
            silos,
        ),
        _convex(silos, "uml_convex", "Convex UML", "uml"),
    ]


def _with_bridges(bridges: tuple[str, ...]) -> list[Arm]:
    """What the target's own modality alone can have from a bridge: the control for what other modalities add."""
    mean = "Class means where the bridge's samples scatter alike in all directions, shrunk as likelihood says."
    return [
        Arm("bridge_mean", "class mean, with the bridge", "bridge", mean, _posterior, _CLOSED, bridges, trained=False),
        Arm(
            "bridge_logreg",
            "logistic regression, with the bridge",
            "bridge",
            "The same coordinates, C tuned on the validation samples.",
            _bridged_logistic,
            tuple(Setting(scale=1.0, strength=c) for c in (3.0, 10.0, 30.0, 100.0)),
            bridges,
            trained=False,
        ),
    ]


def _closed(silos: tuple[str, ...]) -> list[Arm]:
    means = "Class means as a Gaussian process over classes, fed by all silos; strengths by marginal likelihood."
    refined = tuple(Setting(scale, prior=1.0, strength=c) for scale, c in product((5.0, 10.0), (10.0, 30.0)))
    about = "Logistic regression that starts from the closed form and is pulled back to it."
    return [
        Arm("uml_closed", "UML in closed form", "uml", means, _posterior, _CLOSED, silos, trained=False),
        Arm("uml_refined", "UML in closed form, refined", "uml", about, _refined, refined, silos, trained=False),
    ]


def _convex(silos: tuple[str, ...], name: str, label: str, kind: Kind) -> Arm:
    """UML's joint loss as one convex problem: logistic regression that also reads the auxiliary class means."""
    about = "UML's joint loss with a ridge, solved to its optimum: logistic regression that shares its head."
    grid = product((0.1, 0.3), (10.0, 30.0))
    settings = tuple(Setting(scale=1.0, alpha=alpha, strength=c) for alpha, c in grid)
    return Arm(name, label, kind, about, _joint, settings, silos, trained=False)


def _random(problem: Problem, setting: Setting) -> Tensor:
    """PyTorch's default for a linear layer, by the episode's seed."""
    classes, d = problem.means.shape
    draw = torch.Generator().manual_seed(problem.task.seed)
    return (2 * torch.rand(classes, d, generator=draw) - 1) / d**0.5


def _means(problem: Problem, setting: Setting) -> Tensor:
    return problem.means


def _logistic(problem: Problem, setting: Setting) -> Tensor:
    return fit_logistic(problem.task.train, len(problem.means), setting.strength)


def _joint(problem: Problem, setting: Setting) -> Tensor:
    """One sample a class and silo, its class mean: the `average` text shot of UML, sec. 1.6."""
    auxiliary = [_present(means) for means in problem.prototypes]
    return fit_logistic(problem.task.train, len(problem.means), setting.strength, auxiliary, setting.alpha)


def _present(means: Tensor) -> Samples:
    """Class means [class, d] as samples, without the classes that have none."""
    y = means.abs().sum(1).nonzero()[:, 0]
    return Samples(means[y], y)


def _prototypes(problem: Problem, setting: Setting) -> Tensor:
    """UML(init): the auxiliary class means; the target's own mean where no silo has a sample of the class."""
    prototypes = normalize(problem.prototypes.sum(0), dim=1)
    silent = prototypes.abs().sum(1, keepdim=True) == 0
    return torch.where(silent, problem.means, prototypes)


def _prior(problem: Problem, setting: Setting) -> Tensor:
    return normalize(problem.means + setting.prior * normalize(problem.prototypes.sum(0), dim=1), dim=1)


def _posterior(problem: Problem, setting: Setting) -> Tensor:
    """Directions of the posterior class means, as a head on the features."""
    return problem.view.fold(_known(problem, setting))


def _known(problem: Problem, setting: Setting) -> Tensor:
    """The same in the view's own coordinates: unit rows [class, d]."""
    found = problem.view.posterior(setting.prior, setting.noise)
    return normalize(torch.from_numpy(found[: len(problem.means)]), dim=1)


def _bridged_logistic(problem: Problem, setting: Setting) -> Tensor:
    view = problem.view
    return view.fold(fit_logistic(view.train, len(problem.means), setting.strength))


def _refined(problem: Problem, setting: Setting) -> Tensor:
    """The ridge pulls to the closed form at logit scale `scale`; the result is per unit of that scale."""
    view, before = problem.view, setting.scale * _known(problem, setting)
    head = fit_logistic(view.train, len(problem.means), setting.strength, around=before)
    return view.fold(head / setting.scale)
