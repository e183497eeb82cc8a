"""The weights of many runs under training, stacked, with AdamW's moments; runs can be taken out."""

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor

from uml_pipeline.learn.joint.part import SCALES, Weights
from uml_pipeline.learn.joint.task import Run

BETAS = (0.9, 0.999)


class Stack:
    """Runs in the order of `runs`, which must bring those of equal rate and decay together: one group of AdamW each."""

    def __init__(self, runs: Sequence[Run], weights: Weights) -> None:
        """`weights`: each [run, ...]; they are trained in place."""
        self.runs, self.weights = list(runs), weights
        self.grads = {name: torch.zeros_like(value) for name, value in weights.items()}
        self.decayed = torch.ones(len(runs), dtype=torch.float64)  # what weight decay alone leaves of a weight
        self._arrange()

    def _arrange(self) -> None:
        self._spans, first = [], 0
        for _, members in groupby(self.runs, lambda run: (run.rate, run.decay)):
            self._spans.append(slice(first, first := first + len(list(members))))
        device = self.weights[SCALES].device
        self._learnt = torch.tensor([[run.learn_scales] for run in self.runs], device=device)
        self._fixed = torch.tensor([[run.scale] for run in self.runs], device=device)
        rates, decays = ([getattr(run, key) for run in self.runs] for key in ("rate", "decay"))
        self._fading = torch.tensor(rates, dtype=torch.float64) * torch.tensor(decays, dtype=torch.float64)
        groups = []
        for span in self._spans:
            params = [value[span] for value in self.weights.values()]
            for param, grad in zip(params, self.grads.values(), strict=True):
                param.grad = grad[span]
            run = self.runs[span.start]
            groups.append({"params": params, "lr": run.rate, "weight_decay": run.decay})
        # on views of the stacks: its fused kernel reads and writes each number once
        self.optimizer = torch.optim.AdamW(groups, betas=BETAS, fused=True)

    def step(self, factor: float) -> None:
        """One step of AdamW by the gradients, with `factor` on all learning rates."""
        for group, span in zip(self.optimizer.param_groups, self._spans, strict=True):
            group["lr"] = factor * self.runs[span.start].rate
        self.optimizer.step()
        scales = self.weights[SCALES]
        scales.copy_(torch.where(self._learnt, scales, self._fixed))
        self.decayed *= 1 - factor * self._fading

    def keep(self, slots: list[int]) -> None:
        """Drop all runs but those at `slots`, ascending: their memory is free, the others go on as they were."""
        states = self._states()
        self.runs = [self.runs[slot] for slot in slots]
        self.decayed = self.decayed[slots]
        self.weights = {name: value[slots] for name, value in self.weights.items()}
        self.grads = {name: torch.zeros_like(value) for name, value in self.weights.items()}
        self._arrange()
        for group, span in zip(self.optimizer.param_groups, self._spans, strict=True):
            for param, (step, *moments) in zip(group["params"], states, strict=True):
                first, second = (moment[slots][span] for moment in moments)
                self.optimizer.state[param] = {"step": step.clone(), "exp_avg": first, "exp_avg_sq": second}

    def _states(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """For each weight: steps taken, and AdamW's moments [run, ...]."""
        states = [[self.optimizer.state[param] for param in group["params"]] for group in self.optimizer.param_groups]
        return [
            (spans[0]["step"], *(torch.cat([state[key] for state in spans]) for key in ("exp_avg", "exp_avg_sq")))
            for spans in zip(*states, strict=True)
        ]
