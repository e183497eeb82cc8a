"""Runs that share a task, batches and shapes: what is stacked, and how it meets the samples."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from uml_pipeline.learn.joint import start
from uml_pipeline.learn.joint.part import HEAD, SCALES, Part, Weights
from uml_pipeline.learn.joint.span import Coordinates, Span
from uml_pipeline.learn.joint.streams import batch_rows
from uml_pipeline.learn.joint.task import Auxiliary, Run, Task, select

TARGET = ""  # name of the target's projection and batches


@dataclass(frozen=True, eq=False)
class Layer:
    """A matrix that reads samples: its coordinates, and its outer part [run or 1, o, d], which only decays."""

    span: Span
    outside: Tensor | None


@dataclass(frozen=True, eq=False)
class Group:
    """Runs to be stacked, sorted for the stack; `order` is the task's classes, the target's first."""

    task: Task
    runs: tuple[Run, ...]
    order: Tensor  # [class]

    @property
    def first(self) -> Run:
        """Any of the runs: what they share can be read off it."""
        return self.runs[0]

    def silos(self) -> list[Auxiliary]:
        """Auxiliary silos as the runs see them; none if alpha is 0: bit for bit the control."""
        if self.first.alpha == 0:
            return []
        shots, task = self.first.shots, self.task
        return [Auxiliary(silo.name, select(silo, shots, task), silo.bridge) for silo in task.auxiliary]

    def reader(self, silo: Auxiliary | None) -> str | None:
        """Name of the projection that a silo (None: the target) passes; None where the head reads it."""
        if not self.first.projection:
            return None
        if silo is None or silo.bridge:
            return TARGET
        return None if silo.samples.x.shape[1] == self.task.head_width else silo.name


def groups(task: Task, runs: Sequence[Run]) -> list[tuple[Group, list[int]]]:
    """Runs of one task by what they share, each with their places in `runs`."""
    _check(task, runs)
    order = torch.cat([task.target, _others(task)])
    shared: dict[tuple, list[int]] = defaultdict(list)
    for place, run in enumerate(runs):
        read = (run.shots, run.ratio) if run.alpha and task.auxiliary else None
        shared[run.batch, run.projection, read].append(place)
    for places in shared.values():
        places.sort(key=lambda place: (runs[place].rate, runs[place].decay))
    return [(Group(task, tuple(runs[place] for place in places), order), places) for places in shared.values()]


def _check(task: Task, runs: Sequence[Run]) -> None:
    """One space for all where a run has no projection."""
    dims = task.train.x.shape[1]
    foreign = [silo.name for silo in task.auxiliary if silo.samples.x.shape[1] != dims]
    if foreign and any(run.alpha and not run.projection for run in runs):
        raise ValueError(f"silos {', '.join(foreign)} are not {dims} wide as the target: runs need a projection")


def _others(task: Task) -> Tensor:
    here = torch.zeros(len(task.classes), dtype=torch.bool)
    here[task.target] = True
    return (~here).nonzero()[:, 0]


def layers(group: Group, coordinates: Coordinates) -> dict[str, Layer]:
    """The layers that read samples, by name: HEAD stands for the head where samples meet it first."""
    read: dict[str, list[Tensor]] = defaultdict(list)
    for silo in (None, *group.silos()):
        x = group.task.train.x if silo is None else silo.samples.x
        read[_layer(group, silo)].append(x)
    made = {}
    for name, inputs in read.items():
        # a head that reads silos behind a projection too cannot turn its coordinates
        turned = name != HEAD or not group.first.projection
        span = Span.of(torch.cat(inputs), coordinates if turned else "raw", group.task.seed)
        made[name] = Layer(span, span.outside(_starts(group, name, span.dims)))
    return made


def _layer(group: Group, silo: Auxiliary | None) -> str:
    reader = group.reader(silo)
    return HEAD if reader is None else reader


def _starts(group: Group, name: str, dims: int) -> Tensor:
    """Raw starts of a layer: heads [run, class, width], or the projection that all runs share [1, width, dims]."""
    if name == HEAD:
        return torch.stack([start.head(group.task, run)[group.order] for run in group.runs])
    return start.projection(group.task, name, dims)[None]


def weights(group: Group, made: dict[str, Layer]) -> Weights:
    """All weights at their start, in the layers' coordinates."""
    runs = len(group.runs)
    heads = _starts(group, HEAD, 0)
    result = {HEAD: made[HEAD].span.inside(heads) if HEAD in made else heads}
    for name, layer in made.items():
        if name != HEAD:
            inside = layer.span.inside(_starts(group, name, layer.span.dims))
            result[name] = inside.repeat(runs, 1, 1)
    columns = 1 + sum(not silo.bridge for silo in group.silos())
    result[SCALES] = torch.tensor([[run.scale] * columns for run in group.runs])
    return result


def parts(group: Group, made: dict[str, Layer], device: torch.device) -> list[Part]:
    """The target, then the silos."""
    silos = group.silos()
    place = torch.empty_like(group.order)
    place[group.order] = torch.arange(len(group.order))
    alpha = torch.tensor([run.alpha for run in group.runs])[:, None, None]
    columns = iter(range(1, 1 + len(silos)))
    result = [_part(group, made, None, place, torch.ones_like(alpha), 0, device)]
    for silo in silos:
        scale = 0 if silo.bridge else next(columns)
        result.append(_part(group, made, silo, place, alpha / len(silos), scale, device))
    return result


def _part(
    group: Group,
    made: dict[str, Layer],
    silo: Auxiliary | None,
    place: Tensor,
    weight: Tensor,
    scale: int,
    device: torch.device,
) -> Part:
    samples = group.task.train if silo is None else silo.samples
    classes = len(group.task.target) if silo is None else len(group.order)
    y = one_hot(place[samples.y], classes).T.float().contiguous()  # [class, n]
    ratio = group.first.ratio if silo else Fraction(1)
    name, seed = silo.name if silo else TARGET, group.task.seed
    return Part(
        made[_layer(group, silo)].span.coordinates(samples.x).to(device),
        y.to(device),
        None if silo is None else _absent(y, device),
        group.reader(silo),
        scale,
        weight.to(device),
        batch_rows(len(samples), group.first.batch, ratio.numerator, seed, name, device),
        ratio.denominator,
    )


def _absent(y: Tensor, device: torch.device) -> Tensor | None:
    has = y.any(1, keepdim=True)
    return None if has.all() else torch.zeros(has.shape).masked_fill_(~has, -torch.inf).to(device)
