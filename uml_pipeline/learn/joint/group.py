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

from uml_pipeline.learn.joint.part import HEAD, SCALES, Part, Weights
from uml_pipeline.learn.joint.span import Coordinates, Span
from uml_pipeline.learn.joint.start import head, projection
from uml_pipeline.learn.joint.streams import batch_rows
from uml_pipeline.learn.joint.task import TARGET, Auxiliary, Run, Task, select


@dataclass(frozen=True, eq=False)
class Layer:
    """A projection at its start, which all runs of a stack share."""

    span: Span  # its coordinates
    inside: Tensor  # [width, k], to be trained

    @classmethod
    def of(cls, start: Tensor, span: Span) -> "Layer":
        """From a start in raw coordinates [width, d]."""
        return cls(span, span.inside(start))


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
        """The projections by name; all stacks of the group share them."""
        task, made = self.task, {}
        for name, inputs in self._inputs().items():
            x = torch.cat(inputs)
            given = name == TARGET and _brings_projection(task, self.first)  # it may lie where no sample reaches
            span = Span.of(x, "raw" if given else self.coordinates, task.seed)
            made[name] = Layer.of(projection(task, self.first, name, x.shape[1]), span)
        return made

    def _inputs(self) -> dict[str, list[Tensor]]:
        """What each projection reads."""
        read: dict[str, list[Tensor]] = defaultdict(list)
        for silo in (None, *self.silos):
            name = self.reader(silo)
            if name is not None:
                read[name].append(self.task.train.x if silo is None else silo.samples.x)
        return read

    def seen(self, silo: Auxiliary | None, x: Tensor) -> Tensor:
        """Features of a silo (None: the target) in the coordinates of what reads them: [n, d] -> [n, k]."""
        name = self.reader(silo)
        return x if name is None else self.layers[name].span.coordinates(x)

    def bytes(self) -> int:
        """Memory that one run of a stack takes: weights, gradients and two moments."""
        head = len(self.task.classes) * (self.task.head_width if self.first.projection else self.task.train.x.shape[1])
        return 4 * 4 * (head + sum(layer.inside.numel() for layer in self.layers.values()))

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
        own = run.init if run.projection and _brings_projection(task, run) else None
        shared[run.batch, run.projection, read, own].append(place)
    for places in shared.values():
        places.sort(key=lambda place: (runs[place].rate, runs[place].decay))
    return [Group(task, tuple(runs[at] for at in places), tuple(places), coordinates) for places in shared.values()]


def _brings_projection(task: Task, run: Run) -> bool:
    return run.init in task.starts and task.starts[run.init].projection is not None


def weights(group: Group, slots: Sequence[int]) -> Weights:
    """The weights of the runs at `slots` at their start."""
    runs = [group.runs[slot] for slot in slots]
    columns = 1 + sum(not silo.bridge for silo in group.silos)
    return {
        HEAD: torch.stack([head(group.task, run)[group.order] for run in runs]),
        SCALES: torch.tensor([[run.scale] * columns for run in runs]),
        **{name: layer.inside.repeat(len(runs), 1, 1) for name, layer in group.layers.items()},
    }


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
        group.seen(silo, samples.x).to(device),
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
