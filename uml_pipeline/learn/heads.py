"""Many linear heads trained at once, as one stack of matrices. Method: UML, sec. 1.1 and 1.2, frozen encoders.

Every step draws one batch of the target and one of each auxiliary silo, independently; the losses are summed and one
AdamW step is taken: L = CE(target) + alpha * mean over silos of CE(silo). Only the head is shared, so only it learns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from uml_pipeline.learn.splits import batches

BETAS, EPSILON, WARM_UP = (0.9, 0.999), 1e-8, 5


@dataclass(frozen=True)
class Samples:
    """Standardised features of one modality with their classes."""

    x: Tensor  # [n, d]
    y: Tensor  # [n], int64

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Task:
    """What one episode gives to learn from. Every modality draws its batches from a stream of its own (by seed)."""

    seed: int
    train: Samples
    val: Samples
    auxiliary: tuple[Samples, ...] = ()


@dataclass(frozen=True)
class Run:
    """One head to train: where it starts and its own settings."""

    start: Tensor  # [class, d]
    learning_rate: float
    scale: float  # logits = scale * head @ x
    alpha: float = 0.0  # weight of the auxiliary loss; 0 is the unimodal model
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Budget:
    """How long to train: the same for every arm of a comparison."""

    steps: int = 120
    batch: int = 64
    every: int = 10  # steps between looks at the validation samples
    patience: int = 4  # looks without improvement before a run stops


@dataclass(frozen=True)
class Fit:
    """The head at its best look (the earliest of equals; look 0 is the start), and validation accuracy at each look."""

    head: Tensor  # [class, d]
    best: int
    curve: list[float]

    @property
    def val(self) -> float:
        """Validation accuracy of `head`, in [0, 1]."""
        return self.curve[self.best]


def accuracy(heads: Tensor, samples: Samples) -> Tensor:
    """Top-1 accuracy of each head in [0, 1]: [run, class, d] -> [run]."""
    guess = (samples.x @ heads.transpose(1, 2)).argmax(2)  # [run, n]
    return (guess == samples.y).double().mean(1)


def gradient(heads: Tensor, x: Tensor, y: Tensor, scale: Tensor) -> Tensor:
    """Gradient of the mean cross-entropy of each head on one batch: [run, class, d].

    Shapes: heads [run, class, d], x [b, d], y [b], scale [run].
    """
    p = torch.softmax(scale[:, None, None] * (x @ heads.transpose(1, 2)), 2)  # [run, b, class]
    p[:, torch.arange(len(y)), y] -= 1
    return (p.transpose(1, 2) @ x) * (scale / len(y))[:, None, None]


def train(task: Task, runs: Sequence[Run], budget: Budget) -> list[Fit]:
    """Train all `runs` on one task at once; a run that stopped improving leaves the stack.

    All runs see the same batches in the same order, whatever their settings, so that they differ by those alone.
    """
    stack = _Stack(runs)
    curves = [[value] for value in accuracy(stack.heads, task.val).tolist()]
    best = [Fit(run.start, 0, curve) for run, curve in zip(runs, curves, strict=True)]
    alive = list(range(len(runs)))
    for look in _looks(task, stack, budget):
        for slot, value in enumerate(accuracy(stack.heads, task.val).tolist()):
            run = alive[slot]
            curves[run].append(value)
            if value > best[run].val:
                best[run] = Fit(stack.heads[slot].clone(), look, curves[run])
        keep = [slot for slot, run in enumerate(alive) if look - best[run].best < budget.patience]
        if not keep:
            break
        if len(keep) < len(alive):
            stack.keep(keep)
            alive = [alive[slot] for slot in keep]
    return best


def train_until(task: Task, run: Run, budget: Budget, look: int) -> Tensor:
    """The head of one run after `look` looks of its schedule, no validation: [class, d]."""
    stack = _Stack([run])
    for _ in islice(_looks(task, stack, budget), look):
        pass
    return stack.heads[0]


def _looks(task: Task, stack: "_Stack", budget: Budget) -> Iterator[int]:
    """Train on, and pause at every look: 1, 2, …."""
    modalities = (task.train, *task.auxiliary)
    streams = [_batches(samples, task.seed, index, budget) for index, samples in enumerate(modalities)]
    for step, (own, *others) in enumerate(zip(*streams, strict=True), start=1):
        stack.step(own, others, _schedule(step, budget.steps))
        if step % budget.every == 0:
            yield step // budget.every


def _batches(samples: Samples, seed: int, stream: int, budget: Budget) -> Iterator[Samples]:
    draw = np.random.default_rng([seed, 2, stream])
    for rows in islice(batches(len(samples), budget.batch, draw), budget.steps):
        yield Samples(samples.x[rows], samples.y[rows])


def _schedule(step: int, steps: int) -> float:
    """Linear warm-up, then cosine to zero: factor on the learning rate at `step` = 1 … steps."""
    if step <= WARM_UP:
        return step / WARM_UP
    return 0.5 * (1 + float(np.cos(np.pi * (step - WARM_UP) / (steps - WARM_UP + 1))))


class _Stack:
    """Heads under training with their AdamW moments and settings; runs can be taken out."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.heads = torch.stack([run.start for run in runs])  # [run, class, d]
        self.first, self.second = torch.zeros_like(self.heads), torch.zeros_like(self.heads)
        self.steps = 0
        names = ("scale", "alpha", "learning_rate", "weight_decay")
        self.settings = torch.tensor([[getattr(run, name) for run in runs] for name in names])  # [setting, run]

    def step(self, own: Samples, others: Sequence[Samples], factor: float) -> None:
        """One joint AdamW step of all runs on one batch of each modality."""
        scale, alpha, rate, decay = self.settings
        grad = gradient(self.heads, own.x, own.y, scale)
        for other in others:
            grad.add_(gradient(self.heads, other.x, other.y, scale).mul_((alpha / len(others))[:, None, None]))
        self.steps += 1
        self.first.lerp_(grad, 1 - BETAS[0])
        self.second.mul_(BETAS[1]).addcmul_(grad, grad, value=1 - BETAS[1])
        spread = (self.second / (1 - BETAS[1] ** self.steps)).sqrt_().add_(EPSILON)
        rate = (rate * factor)[:, None, None]
        self.heads.mul_(1 - rate * decay[:, None, None])
        self.heads.sub_(self.first.div(spread).mul_(rate / (1 - BETAS[0] ** self.steps)))

    def keep(self, slots: list[int]) -> None:
        """Drop all runs but those at `slots`."""
        self.heads, self.first, self.second = self.heads[slots], self.first[slots], self.second[slots]
        self.settings = self.settings[:, slots]
