"""One episode as the joint engine reads it: every silo in its own space, over the union of classes."""

from collections.abc import Callable, Collection

import numpy as np
import torch
from torch import Tensor

from uml_pipeline.learn.geometry import centre_of, class_means, standardise
from uml_pipeline.learn.joint import Auxiliary, Run, Start, Task, start_head
from uml_pipeline.learn.samples import Samples
from uml_pipeline.trunk.problem import Problem
from uml_pipeline.trunk.silos import Silo

TRUST = 0.3  # in the silos, times what likelihood says, where training starts from the closed form
_RIDGE = 0.01  # of the mean square of the texts' singular values


def task_of(problem: Problem, inits: Collection[str] = ()) -> Task:
    """The problem with its silos; `inits` are starts (STARTS) that runs will ask for."""
    world = problem.world
    silos = [world.silos[name] for name in problem.silos]
    classes = world.union(silos)
    seen = tuple(_read(silo, classes, problem) for silo in silos)
    starts: dict[str, Start] = {}
    task = Task(problem.seed, tuple(classes), problem.train, problem.val, seen, world.width, starts)
    starts.update({name: make(problem, task) for name, make in STARTS.items() if name in inits})
    return task


def _read(silo: Silo, classes: list[str], problem: Problem) -> Auxiliary:
    bridge, y = silo.bridges(problem.world.target), silo.index(classes)
    x = silo.x[y >= 0]
    x = standardise(x, problem.centre if bridge else centre_of(x))
    return Auxiliary(silo.name, Samples(torch.from_numpy(x), torch.from_numpy(y[y >= 0])), bridge)


def _means(problem: Problem, task: Task) -> Start:
    """Class means of the target, and of what bridges know besides."""
    read = [task.train, *(silo.samples for silo in task.auxiliary if silo.bridge)]
    x, y = (np.concatenate([getattr(one, key).numpy() for one in read]) for key in ("x", "y"))
    return Start(torch.from_numpy(class_means(x, y, len(task.classes))))


def _closed(problem: Problem, task: Task) -> Start:
    """The closed form's head."""
    return Start(_posterior(problem))


def _closed_behind(problem: Problem, task: Task) -> Start:
    """The closed form behind a projection: head rows at the texts' class means, and the projection (by ridge) that
    makes of them what the closed form says.
    """
    head = start_head(task, Run(init="text"))
    wide = head.double()
    gram = wide @ wide.T
    gram += _RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    return Start(head, (wide.T @ torch.linalg.solve(gram, _posterior(problem).double())).float())


def _posterior(problem: Problem) -> Tensor:
    return problem.view.fold(problem.view.directions(TRUST, 1.0))


STARTS: dict[str, Callable[[Problem, Task], Start]] = {
    "means": _means,
    "closed": _closed,
    "closed, projected": _closed_behind,
}
