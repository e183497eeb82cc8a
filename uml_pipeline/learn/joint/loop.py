"""UML's supervised form with frozen encoders, many runs at once. Method: UML, sec. 1.1 to 1.4.

Every step draws one batch of the target and of each auxiliary silo, independently, and takes one step of AdamW down
CE(target) + alpha * mean over silos of CE(silo). What is learnt is a projection of the target, P, and the head W that
all modalities share: logits = s_x W P x, and s_y W y. The gradients are written out; runs that share their batches are
one stack of matrices.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import torch

from uml_pipeline.learn.calibration import calibrated
from uml_pipeline.learn.engine.schedule import factor
from uml_pipeline.learn.joint.fit import Best, Fit
from uml_pipeline.learn.joint.group import Group, groups, parts, weights
from uml_pipeline.learn.joint.part import HEAD, SCALES, Part, scores
from uml_pipeline.learn.joint.span import Coordinates
from uml_pipeline.learn.joint.stack import Stack
from uml_pipeline.learn.joint.task import Budget, Run, Task
from uml_pipeline.learn.workers import each

# Bytes of the stack that a CPU thread works on (Group.bytes): it should stay in the cache that cores share, since a
# step reads and writes all of it. A stack of 30 MB took twice the time a run (2 cores, 32 MB; benchmarks/probe.py).
CACHE = 10 * 2**20


class _Job(NamedTuple):
    """One stack: runs of a group by their slots."""

    group: Group
    slots: range


def train(
    jobs: Sequence[tuple[Task, Sequence[Run]]],
    budget: Budget = Budget(),
    coordinates: Coordinates = "raw",
    device: str = "cpu",
) -> Iterator[list[Fit]]:
    """Train all runs of all tasks; yields the fits of one task after the other, in the order of its runs.

    Take what you need of the fits before you ask for the next ones, and the rest's memory is free.

    Args:
        jobs: tasks, each with its runs.
        budget: the same for all runs.
        coordinates: "raw" is the paper's Adam to the letter; "reduced" trains projections in fewer directions, several
            times as fast, and is the same for some encoders' features only (span.py).
        device: "cpu": one thread a core, each with stacks of its own; else a torch device, one stack after the other.
    """
    on = torch.device(device)
    by_task = deque(
        [job for group in groups(task, runs, coordinates) for job in _split(group, _memory(on))] for task, runs in jobs
    )
    flat = iter([job for jobs_of_task in by_task for job in jobs_of_task])

    def work(job: _Job) -> list[Fit]:
        return _train(job, budget, on)

    results = each(work, flat) if device == "cpu" else map(torch.inference_mode()(work), flat)
    while by_task:
        fits: dict[int, Fit] = {}
        for group, slots in by_task.popleft():
            fits |= zip(group.places[slots.start : slots.stop], next(results), strict=True)
        yield [fits[place] for place in sorted(fits)]


def _memory(device: torch.device) -> int:
    """Bytes that a stack may take: what a core's cache holds, or a third of what a GPU has free (samples, copies)."""
    return torch.cuda.mem_get_info(device)[0] // 3 if device.type == "cuda" else CACHE


def _split(group: Group, memory: int) -> list[_Job]:
    """As few stacks as memory lets, of nearly equal size."""
    runs = len(group.runs)
    count = -(-runs // max(1, memory // group.bytes()))
    edges = [runs * part // count for part in range(count + 1)]
    return [_Job(group, range(first, last)) for first, last in pairwise(edges)]


def _train(job: _Job, budget: Budget, device: torch.device) -> list[Fit]:
    """All runs of a stack, in its order."""
    group, slots = job
    start = {name: value.to(device) for name, value in weights(group, slots).items()}
    stack = Stack([group.runs[slot] for slot in slots], start)
    modalities = parts(group, slots, device)
    judge = _Judge(group, budget, device)
    best = {slot: Best({}, []) for slot in slots}
    alive = list(slots)
    for step in range(budget.steps):
        gradients(stack, modalities, step)
        stack.step(factor(step, budget.steps, budget.warm_up))
        if step % budget.every:
            continue
        for place, (score, scale) in enumerate(judge(stack)):
            _note(best[alive[place]], score, scale, stack, place, budget)
        keep = [place for place, slot in enumerate(alive) if best[slot].idle < budget.patience]
        if not keep:
            break
        if len(keep) < len(alive):
            stack.keep(keep)
            modalities = [replace(part, weight=part.weight[keep]) for part in modalities]
            alive = [alive[place] for place in keep]
    return [
        Fit(group.runs[slot], tuple(one.curve), one.look, one.factor, one.weights, group) for slot, one in best.items()
    ]


def retrain(task: Task, run: Run, budget: Budget, look: int, coordinates: Coordinates = "raw") -> Fit:
    """One run up to a look of its schedule, without validation samples: the same weights as at that look."""
    (group,) = groups(task, [run], coordinates)
    stack, modalities = Stack([run], weights(group, [0])), parts(group, [0], torch.device("cpu"))
    with torch.inference_mode():
        for step in range(look * budget.every + 1):
            gradients(stack, modalities, step)
            stack.step(factor(step, budget.steps, budget.warm_up))
    of_run = {name: value[0] for name, value in stack.weights.items()}
    return Fit(run, (), 0, 1.0, of_run, group)


def gradients(stack: Stack, modalities: Sequence[Part], step: int) -> None:
    """The joint loss's gradients, into the stack's."""
    stack.grads[SCALES].zero_()
    fresh = stack.grads.keys() - {SCALES}
    for part in modalities:
        if step % part.every == 0:
            part.add(stack.weights, stack.grads, fresh)
    for name in fresh:  # read by no batch of this step
        stack.grads[name].zero_()


def _note(best: Best, score: float, scale: float, stack: Stack, place: int, budget: Budget) -> None:
    best.curve.append(score)
    before = best.curve[best.look]
    if len(best.curve) == 1 or (score > before if budget.by == "accuracy" else score < before):
        best.look, best.factor = len(best.curve) - 1, scale
        best.weights = {name: value[place].cpu().clone() for name, value in stack.weights.items()}


class _Judge:
    """How the runs of a stack do on the validation samples."""

    def __init__(self, group: Group, budget: Budget, device: torch.device) -> None:
        val, self._reader = group.task.val, group.reader(None)
        self._xt = group.seen(None, val.x).T.contiguous().to(device)  # [k, n]
        self._y = torch.searchsorted(group.task.target, val.y).to(device)  # [n]
        self._classes = len(group.task.target)
        self._by = budget.by

    def __call__(self, stack: Stack) -> list[tuple[float, float]]:
        """Accuracy or log-loss of each run, and the factor on its logits that the latter is had at."""
        head = stack.weights[HEAD][:, : self._classes]
        projection = None if self._reader is None else stack.weights[self._reader]
        logits, _ = scores(head, projection, self._xt)  # [run, class, n]
        logits *= stack.weights[SCALES][:, :1, None]
        if self._by == "accuracy":
            return [(one, 1.0) for one in (logits.argmax(1) == self._y).double().mean(1).tolist()]
        losses, factors = calibrated(logits.transpose(1, 2), self._y)
        return list(zip(losses.tolist(), factors.tolist(), strict=True))
