"""The weights of many runs under training, stacked, with AdamW's moments; runs can be taken out."""

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor

from uml_pipeline.learn.joint.part import SCALES, Weights
from uml_pipeline.learn.joint.task import Run

BETAS, EPSILON = (0.9, 0.999), 1e-8
Views = tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]  # weights, gradients, two moments


class Stack:
    """Runs in the order of `runs`, which must bring those of equal rate and decay together: one update each."""

    def __init__(self, runs: Sequence[Run], weights: Weights) -> None:
        """`weights`: each [run, ...]; they are trained in place."""
        self.runs, self.weights = list(runs), weights
        self.moments = [{name: torch.zeros_like(value) for name, value in weights.items()} for _ in BETAS]
        self._steps = torch.zeros((), device=weights[SCALES].device)
        self._arrange()

    def _arrange(self) -> None:
        self.grads = {name: torch.zeros_like(value) for name, value in self.weights.items()}
        device = self.weights[SCALES].device
        self._learnt = torch.tensor([[run.learn_scales] for run in self.runs], device=device)
        self._fixed = torch.tensor([[run.scale] for run in self.runs], device=device)
        self._slices: list[tuple[Run, Views]] = []
        first = 0
        for _, members in groupby(self.runs, lambda run: (run.rate, run.decay)):
            span = slice(first, first := first + len(list(members)))
            weights, grads, *moments = ([value[span] for value in of.values()] for of in self._all())
            self._slices.append((self.runs[span.start], (weights, grads, moments[0], moments[1])))

    def _all(self) -> list[Weights]:
        return [self.weights, self.grads, *self.moments]

    def step(self, factor: float) -> None:
        """One step of AdamW by the gradients, with `factor` on all learning rates."""
        self._steps += 1
        for run, views in self._slices:
            _adamw(views, self._steps, factor * run.rate, run.decay)
        scales = self.weights[SCALES]
        torch.where(self._learnt, scales, self._fixed, out=scales)

    def keep(self, slots: list[int]) -> None:
        """Drop all runs but those at `slots`, ascending: their memory is free, the others go on as they were."""
        self.runs = [self.runs[slot] for slot in slots]
        self.weights = _taken(self.weights, slots)
        self.moments = [_taken(moment, slots) for moment in self.moments]
        self._arrange()


def _taken(stacked: Weights, slots: list[int]) -> Weights:
    return {name: value[slots] for name, value in stacked.items()}


def _adamw(views: Views, steps: Tensor, rate: float, decay: float) -> None:
    """What `torch.optim.AdamW(fused=True)` calls: each number is read and written once.

    The optimizer's own bookkeeping took half the time of the smallest stacks.
    """
    torch._fused_adamw_(
        *views,
        [],
        [steps] * len(views[0]),
        lr=rate,
        beta1=BETAS[0],
        beta2=BETAS[1],
        weight_decay=decay,
        eps=EPSILON,
        amsgrad=False,
        maximize=False,
    )
