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

BETAS, WARM_UP = (0.9, 0.999), 5
SCALE_FACTORS = (0.5, 0.7, 1.0, 1.4, 2.0)


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
    batch: int = 64  # target samples a step
    auxiliary: int = 32  # samples a step of each auxiliary silo
    every: int = 10  # steps between looks at the validation samples
    patience: int = 3  # looks without improvement before a run stops


@dataclass(frozen=True)
class Fit:
    """The head at its best look (the earliest of equals; look 0 is the start), and validation log-loss at each look."""

    head: Tensor  # [class, d]
    scale: float  # the logit scale at which it is best calibrated
    best: int
    curve: list[float]

    @property
    def loss(self) -> float:
        """Validation log-loss of `head` at `scale`."""
        return self.curve[self.best]


def log_loss(heads: Tensor, samples: Samples, scales: Tensor) -> tuple[list[float], list[float]]:
    """Mean cross-entropy of each head at its best logit scale near `scales` [run], and that scale.

    Selection goes by it and not by accuracy: on a few hundred validation samples it is far less noisy.
    """
    scores = scales[:, None] * _scores(heads, samples.x)  # [n, run, class]
    scores -= scores.amax(2, keepdim=True)
    own = scores[torch.arange(len(samples)), :, samples.y]  # [n, run]
    losses = torch.stack([((factor * scores).exp_().sum(2).log_() - factor * own).mean(0) for factor in SCALE_FACTORS])
    best = losses.min(0)  # over factors
    factors = torch.tensor(SCALE_FACTORS)[best.indices]
    return best.values.tolist(), (scales * factors).tolist()


def gradient(heads: Tensor, batch: Samples, scale: Tensor) -> Tensor:
    """Gradient of the mean cross-entropy of each head on one batch: [run, class, d]; `scale` is [run]."""
    p = torch.softmax(scale[:, None] * _scores(heads, batch.x), 2)  # [b, run, class]
    p[torch.arange(len(batch)), :, batch.y] -= 1
    p *= (scale / len(batch))[:, None]
    return (p.flatten(1).T @ batch.x).view_as(heads)


def _scores(heads: Tensor, x: Tensor) -> Tensor:
    """One matrix product for all heads: [run, class, d], [b, d] -> [b, run, class]."""
    return (x @ heads.flatten(0, 1).T).view(len(x), *heads.shape[:2])


def train(task: Task, runs: Sequence[Run], budget: Budget) -> list[Fit]:
    """Train all `runs` on one task at once; a run that stopped improving leaves the stack.

    All runs see the same batches in the same order, whatever their settings, so that they differ by those alone.
    """
    stack = _Stack(runs)
    best = [Fit(run.start, scale, 0, [loss]) for run, loss, scale in zip(runs, *stack.judge(task.val), strict=True)]
    alive = list(range(len(runs)))
    for look in _looks(task, stack, budget):
        for run, head, loss, scale in zip(alive, stack.heads, *stack.judge(task.val), strict=True):
            best[run].curve.append(loss)
            if loss < best[run].loss:
                best[run] = Fit(head.clone(), scale, look, best[run].curve)
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
    own = _batches(task.train, budget.batch, budget.steps, [task.seed, 2])
    others = [
        _batches(samples, budget.auxiliary, budget.steps, [task.seed, 3, index])
        for index, samples in enumerate(task.auxiliary)
    ]
    for step, (batch, *beside) in enumerate(zip(own, *others, strict=True), start=1):
        stack.step(batch, beside, _schedule(step, budget.steps))
        if step % budget.every == 0:
            yield step // budget.every


def _batches(samples: Samples, size: int, count: int, seed: list[int]) -> Iterator[Samples]:
    for rows in islice(batches(len(samples), size, np.random.default_rng(seed)), count):
        yield Samples(samples.x[rows], samples.y[rows])


def _schedule(step: int, steps: int) -> float:
    """Linear warm-up, then cosine to zero: factor on the learning rate at `step` = 1 … steps."""
    if step <= WARM_UP:
        return step / WARM_UP
    return 0.5 * (1 + float(np.cos(np.pi * (step - WARM_UP) / (steps - WARM_UP + 1))))


class _Stack:
    """Heads under training, one parameter group a run; runs can be taken out."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = list(runs)
        self.heads = torch.stack([run.start for run in runs])  # [run, class, d]
        self.optimizer = self._optimizer()

    def _optimizer(self) -> torch.optim.AdamW:
        """AdamW on views of the stack, so that its fused kernel serves and the stack stays one matrix."""
        groups = [
            {"params": [head], "lr": run.learning_rate, "weight_decay": run.weight_decay}
            for head, run in zip(self.heads, self.runs, strict=True)
        ]
        return torch.optim.AdamW(groups, betas=BETAS, fused=True)

    @property
    def scales(self) -> Tensor:
        """Logit scale of each run: [run]."""
        return torch.tensor([run.scale for run in self.runs])

    def judge(self, val: Samples) -> tuple[list[float], list[float]]:
        """Log-loss of each head, and the scale it was had at."""
        return log_loss(self.heads, val, self.scales)

    def step(self, own: Samples, others: Sequence[Samples], factor: float) -> None:
        """One joint step of all runs on one batch of each modality; `factor` scales the learning rates."""
        scale = self.scales
        grad = gradient(self.heads, own, scale)
        alpha = torch.tensor([run.alpha for run in self.runs])[:, None, None]
        for other in others:
            grad += gradient(self.heads, other, scale).mul_(alpha / len(others))
        for group, slope, run in zip(self.optimizer.param_groups, grad, self.runs, strict=True):
            group["lr"] = factor * run.learning_rate
            group["params"][0].grad = slope
        self.optimizer.step()

    def keep(self, slots: list[int]) -> None:
        """Drop all runs but those at `slots`."""
        states = [self.optimizer.state[self.optimizer.param_groups[slot]["params"][0]] for slot in slots]
        self.runs = [self.runs[slot] for slot in slots]
        self.heads = self.heads[slots]
        self.optimizer = self._optimizer()
        for group, state in zip(self.optimizer.param_groups, states, strict=True):
            self.optimizer.state[group["params"][0]] = state
