"""Heads without gradient steps: class means, logistic regressions, and UML in closed form. Each is [class, d]."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from uml_pipeline.learn.logistic import fit as fit_logistic
from uml_pipeline.learn.samples import Samples
from uml_pipeline.trunk.arms import Setting
from uml_pipeline.trunk.problem import Problem


def means(problem: Problem, setting: Setting) -> Tensor:
    """Class means of the target."""
    return problem.means


def logistic(problem: Problem, setting: Setting) -> Tensor:
    """Logistic regression on the target alone."""
    return fit_logistic(problem.train, len(problem.means), setting.strength)


def joint_logistic(problem: Problem, setting: Setting) -> Tensor:
    """One that reads a sample a class and silo beside, its class mean: the `average` text shot of UML, sec. 1.6."""
    auxiliary = [_present(means) for means in problem.prototypes]
    return fit_logistic(problem.train, len(problem.means), setting.strength, auxiliary, setting.alpha)


def _present(means: Tensor) -> Samples:
    """Class means [class, d] as samples, without the classes that have none."""
    y = means.abs().sum(1).nonzero()[:, 0]
    return Samples(means[y], y)


def prototypes(problem: Problem, setting: Setting) -> Tensor:
    """The silos' class means; the target's own mean where no silo has a sample of the class."""
    summed = normalize(problem.prototypes.sum(0), dim=1)
    silent = summed.abs().sum(1, keepdim=True) == 0
    return torch.where(silent, problem.means, summed)


def posterior(problem: Problem, setting: Setting) -> Tensor:
    """Directions of the posterior class means, as a head on the features."""
    return problem.view.fold(_known(problem, setting))


def _known(problem: Problem, setting: Setting) -> Tensor:
    """The same in the view's own coordinates, of the target's classes."""
    return problem.view.directions(setting.prior, setting.noise)[: len(problem.means)]


def mapped(problem: Problem, setting: Setting) -> Tensor:
    """Samples mapped to what the silos say of their classes, by a ridge regression of strength 1 / C."""
    return problem.view.fold(_map(problem, setting))


def _map(problem: Problem, setting: Setting) -> Tensor:
    means = problem.view.classes.means[: len(problem.means)] + problem.view.middle
    return torch.from_numpy(problem.world.told_by(problem.silos).head(1 / setting.strength, means))


def posterior_and_map(problem: Problem, setting: Setting) -> Tensor:
    """The closed form, and `alpha` times that map: what samples of a class are like, and what tells them apart."""
    return problem.view.fold(_known(problem, setting) + setting.alpha * _map(problem, setting))


def bridged_logistic(problem: Problem, setting: Setting) -> Tensor:
    """Logistic regression on the target in the view's coordinates."""
    view = problem.view
    return view.fold(fit_logistic(view.train, len(problem.means), setting.strength))


def refined(problem: Problem, setting: Setting) -> Tensor:
    """The ridge pulls to the closed form at logit scale `scale`; the result is per unit of that scale."""
    view, before = problem.view, setting.scale * _known(problem, setting)
    head = fit_logistic(view.train, len(problem.means), setting.strength, around=before)
    return view.fold(head / setting.scale)
