"""Where runs begin: random matrices by name, or head rows from the auxiliary silos (UML, sec. 1.3)."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from uml_pipeline.learn.joint.streams import generator, uniform
from uml_pipeline.learn.joint.task import TARGET, Run, Task, select
from uml_pipeline.learn.samples import Samples


def projection(task: Task, run: Run, name: str, dims: int) -> Tensor:
    """Start of the projection of the target ("") or of a silo: [width, dims]. A random one is the same for all runs."""
    given = task.starts.get(run.init)
    if name == TARGET and given and given.projection is not None:
        return given.projection
    return uniform(task.head_width, dims, generator(task.seed, "projection", name))


def head(task: Task, run: Run) -> Tensor:
    """Start of a run's head: [class, width]."""
    if run.init in task.starts:
        return task.starts[run.init].head
    width = task.head_width if run.projection else task.train.x.shape[1]
    rows = [uniform(1, width, generator(task.seed, "head", name))[0] for name in task.classes]
    start = torch.stack(rows)
    if run.init == "text":
        told = _told(task, run, width)
        for one in told.y.unique():  # a class without any text keeps its random row: zeros could not learn
            start[one] = normalize(told.x[told.y == one].mean(0), dim=0)
    return start


def _told(task: Task, run: Run, width: int) -> Samples:
    """Auxiliary samples that the head itself reads: those of the silos without a projection."""
    read = [silo for silo in task.auxiliary if not (silo.bridge and run.projection)]
    chosen = [select(silo, run.shots, task) for silo in read if silo.samples.x.shape[1] == width]
    if not chosen:
        raise ValueError(f"no auxiliary silo has the head's width {width}: the head cannot start from one")
    return Samples(torch.cat([one.x for one in chosen]), torch.cat([one.y for one in chosen]))
