"""UML's supervised form with frozen encoders, many runs at once. Method: UML, sec. 1.1 to 1.4.

Every step draws one batch of the target and of each auxiliary silo, independently, and takes one step of AdamW down
CE(target) + alpha * mean over silos of CE(silo). What is learnt is a projection of the target, P, and the head W that
all modalities share: logits = s_x W P x, and s_y W y. The gradients are written out; runs that share their batches are
one stack of matrices.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from uml_pipeline.learn.engine.schedule import factor
from uml_pipeline.learn.joint import group as grouping
from uml_pipeline.learn.joint.fit import Best, Fit
from uml_pipeline.learn.joint.group import TARGET, Group, Layer
from uml_pipeline.learn.joint.part import HEAD, SCALES, Part, scores
from uml_pipeline.learn.joint.span import Coordinates
from uml_pipeline.learn.joint.stack import Stack
from uml_pipeline.learn.joint.task import Budget, Run, Task
from uml_pipeline.learn.workers import each


class _Job(NamedTuple):
    group: Group
    places: list[int]  # of its runs among the task's


def train(
    jobs: Sequence[tuple[Task, Sequence[Run]]],
    budget: Budget = Budget(),
    coordinates: Coordinates = "reduced",
    device: str = "cpu",
) -> Iterator[list[Fit]]:
    """Train all runs of all tasks; yields the fits of one task after the other, in the order of its runs.

    Take what you need of the fits before you ask for the next ones, and the rest's memory is free.

    Args:
        jobs: tasks, each with its runs.
        budget: the same for all runs.
        coordinates: "reduced" trains first layers in the span of their samples (span.py); "raw" is the paper's Adam to
            the letter, and slower by the ratio of dimensions.
        device: "cpu": one thread a core, each with stacks of its own; else a torch device, one stack after the other.
    """
    split = [[_Job(*one) for one in grouping.groups(task, runs)] for task, runs in jobs]
    flat = [job for of_task in split for job in of_task]

    def work(job: _Job) -> list[Fit]:
        return _train(job.group, budget, coordinates, torch.device(device))

    results = each(work, flat) if device == "cpu" else map(torch.inference_mode()(work), flat)
    for of_task in split:
        fits: dict[int, Fit] = {}
        for job in of_task:
            fits |= zip(job.places, next(results), strict=True)
        yield [fits[place] for place in sorted(fits)]


def _train(group: Group, budget: Budget, coordinates: Coordinates, device: torch.device) -> list[Fit]:
    """All runs of a group, in its order."""
    layers = grouping.layers(group, coordinates)
    start = {name: value.to(device) for name, value in grouping.weights(group, layers).items()}
    stack = Stack(group.runs, start)
    parts = grouping.parts(group, layers, device)
    judge = _Judge(group, layers, device)
    best = [Best({}, 1.0, []) for _ in group.runs]
    steps = [0] * len(best)
    alive = list(range(len(best)))
    for step in range(budget.steps):
        gradients(stack, parts, step)
        stack.step(factor(step, budget.steps, budget.warm_up))
        if step % budget.every:
            continue
        accuracies = judge(stack, alive)
        for slot, run in enumerate(alive):
            _note(best[run], accuracies[slot], stack, slot)
            steps[run] = step + 1
        keep = [slot for slot, run in enumerate(alive) if len(best[run].curve) - 1 - best[run].look < budget.patience]
        if not keep:
            break
        if len(keep) < len(alive):
            stack.keep(keep)
            parts = [replace(part, weight=part.weight[keep]) for part in parts]
            alive = [alive[slot] for slot in keep]
    for run in alive:
        steps[run] = step + 1
    back = torch.empty_like(group.order)
    back[group.order] = torch.arange(len(back))
    own = len(group.task.target)
    return [
        Fit(run, tuple(one.curve), one.look, taken, one.weights, one.left, layers, place, back, own)
        for place, (run, one, taken) in enumerate(zip(group.runs, best, steps, strict=True))
    ]


def gradients(stack: Stack, parts: Sequence[Part], step: int) -> None:
    """The joint loss's gradients, into the stack's."""
    stack.grads[HEAD].zero_()
    stack.grads[SCALES].zero_()
    fresh = stack.grads.keys() - {HEAD, SCALES}
    for part in parts:
        if step % part.every == 0:
            part.add(stack.weights, stack.grads, fresh)
    for name in fresh:  # read by no batch of this step
        stack.grads[name].zero_()


def _note(best: Best, accuracy: float, stack: Stack, slot: int) -> None:
    best.curve.append(accuracy)
    if len(best.curve) == 1 or accuracy > best.curve[best.look]:
        best.look = len(best.curve) - 1
        best.weights = {name: value[slot].cpu().clone() for name, value in stack.weights.items()}
        best.left = float(stack.decayed[slot])


class _Judge:
    """Validation accuracy of the runs of a stack."""

    def __init__(self, group: Group, layers: dict[str, Layer], device: torch.device) -> None:
        val = group.task.val
        self._first = TARGET if group.first.projection else HEAD
        layer = layers[self._first]
        self._xt = layer.span.coordinates(val.x).T.contiguous().to(device)  # [k, n]
        # what the outer part makes of the samples never changes but by decay: [run or 1, o, n]
        self._outer = None if layer.outside is None else (layer.outside @ val.x.T).to(device)
        self._y = torch.searchsorted(group.task.target, val.y).to(device)  # [n]
        self._classes = len(group.task.target)

    def __call__(self, stack: Stack, alive: list[int]) -> list[float]:
        """Accuracy of each run: `alive` holds their places in the group."""
        head = stack.weights[HEAD][:, : self._classes]
        z = self._read(stack.weights[self._first], stack.decayed, alive)
        logits = z[:, : self._classes] if self._first == HEAD else torch.bmm(head, z)  # [run, class, n]
        logits = stack.weights[SCALES][:, :1, None] * logits
        return (logits.argmax(1) == self._y).double().mean(1).tolist()

    def _read(self, layer: Tensor, left: Tensor, alive: list[int]) -> Tensor:
        inner = scores(layer, None, self._xt)[0]  # [run, o, n]
        if self._outer is None:
            return inner
        outer = self._outer if len(self._outer) == 1 else self._outer[alive]
        return inner + left.to(inner)[:, None, None] * outer
