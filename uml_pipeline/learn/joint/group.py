"""Runs that share a task, batches and shapes: what can be stacked, and how it meets the samples."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import count

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
    """Runs that can be stacked, in the stack's order: equal rates and decays together."""

    task: Task
    runs: tuple[Run, ...]
    places: tuple[int, ...]  # of the runs among the task's
    coordinates: Coordinates

    @property
    def first(self) -> Run:
        """Any of the runs: what they share can be read off it."""
        return self.runs[0]

    @cached_property
    def order(self) -> Tensor:
        """The task's classes in the stack's order, the target's first: [class]."""
        others = torch.ones(len(self.task.classes), dtype=torch.bool)
        others[self.task.target] = False
        return torch.cat([self.task.target, others.nonzero()[:, 0]])

    @cached_property
    def silos(self) -> list[Auxiliary]:
        """Auxiliary silos as the runs see them; none if alpha is 0: bit for bit the control."""
        if self.first.alpha == 0:
            return []
        shots, task = self.first.shots, self.task
        return [Auxiliary(silo.name, select(silo, shots, task), silo.bridge) for silo in task.auxiliary]

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """The layers that read samples, by name; all stacks of the group share them."""
        made = {}
        for name, inputs in self.inputs().items():
            span = Span.of(torch.cat(inputs), self._coordinates(name), self.task.seed)
            made[name] = Layer(span, span.outside(_starts(self, name, span.dims)))
        return made

    def inputs(self) -> dict[str, list[Tensor]]:
        """What each layer reads: HEAD stands for the head where samples meet it first."""
        read: dict[str, list[Tensor]] = defaultdict(list)
        for silo in (None, *self.silos):
            read[self.layer(silo)].append(self.task.train.x if silo is None else silo.samples.x)
        return read

    def layer(self, silo: Auxiliary | None) -> str:
        """Name of the layer that a silo meets first."""
        reader = self.reader(silo)
        return HEAD if reader is None else reader

    def _coordinates(self, layer: str) -> Coordinates:
        """A head that reads what projections yield cannot turn its coordinates."""
        return "raw" if layer == HEAD and self.first.projection else self.coordinates

    def bytes(self) -> int:
        """Memory that one run of a stack takes, at most: weights, gradients and two moments."""
        dims = {name: (sum(map(len, inputs)), inputs[0].shape[1]) for name, inputs in self.inputs().items()}
        read = {name: d if self._coordinates(name) == "raw" else min(n, d) for name, (n, d) in dims.items()}
        width = self.task.head_width
        head = len(self.task.classes) * (width if self.first.projection else read[HEAD])
        return 4 * 4 * (head + sum(width * k for name, k in read.items() if name != HEAD))

    def reader(self, silo: Auxiliary | None) -> str | None:
        """Name of the projection that a silo (None: the target) passes; None where the head reads it."""
        if not self.first.projection:
            return None
        if silo is None or silo.bridge:
            return TARGET
        return None if silo.samples.x.shape[1] == self.task.head_width else silo.name


def groups(task: Task, runs: Sequence[Run], coordinates: Coordinates) -> list[Group]:
    """Runs of one task by what they share: batches, shapes, and the silos' samples."""
    dims = task.train.x.shape[1]
    foreign = [silo.name for silo in task.auxiliary if silo.samples.x.shape[1] != dims]
    if foreign and any(run.alpha and not run.projection for run in runs):
        raise ValueError(f"silos {', '.join(foreign)} are not {dims} wide as the target: runs need a projection")
    shared: dict[tuple, list[int]] = defaultdict(list)
    for place, run in enumerate(runs):
        read = (run.shots, run.ratio) if run.alpha and task.auxiliary else None
        shared[run.batch, run.projection, read].append(place)
    for places in shared.values():
        places.sort(key=lambda place: (runs[place].rate, runs[place].decay))
    return [Group(task, tuple(runs[at] for at in places), tuple(places), coordinates) for places in shared.values()]


def _starts(group: Group, name: str, dims: int) -> Tensor:
    """Raw starts of a layer: heads [run, class, width], or the projection that all runs share [1, width, dims]."""
    if name == HEAD:
        return torch.stack([start.head(group.task, run)[group.order] for run in group.runs])
    return start.projection(group.task, name, dims)[None]


def weights(group: Group, slots: Sequence[int]) -> Weights:
    """The weights of the runs at `slots` at their start, in the layers' coordinates."""
    made = group.layers
    heads = _starts(group, HEAD, 0)[slots]
    result = {HEAD: made[HEAD].span.inside(heads) if HEAD in made else heads}
    for name, layer in made.items():
        if name != HEAD:
            result[name] = layer.span.inside(_starts(group, name, layer.span.dims)).repeat(len(slots), 1, 1)
    columns = 1 + sum(not silo.bridge for silo in group.silos)
    result[SCALES] = torch.tensor([[group.runs[slot].scale] * columns for slot in slots])
    return result


def parts(group: Group, slots: Sequence[int], device: torch.device) -> list[Part]:
    """The target, then the silos, as the runs at `slots` read them."""
    alpha = torch.tensor([group.runs[slot].alpha for slot in slots])[:, None, None]
    columns = count(1)
    result = [_part(group, None, torch.ones_like(alpha), 0, device)]
    for silo in group.silos:
        scale = 0 if silo.bridge else next(columns)
        result.append(_part(group, silo, alpha / len(group.silos), scale, device))
    return result


def _part(group: Group, silo: Auxiliary | None, weight: Tensor, scale: int, device: torch.device) -> Part:
    samples = group.task.train if silo is None else silo.samples
    classes = len(group.task.target) if silo is None else len(group.order)
    place = torch.argsort(group.order)  # of the task's classes in the stack's order
    y = one_hot(place[samples.y], classes).T.float().contiguous()  # [class, n]
    ratio = group.first.ratio if silo else Fraction(1)
    name, seed = silo.name if silo else TARGET, group.task.seed
    return Part(
        group.layers[group.layer(silo)].span.coordinates(samples.x).to(device),
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
