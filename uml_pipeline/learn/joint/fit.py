"""A trained model, as it was at its best look."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from uml_pipeline.learn.joint.group import Group
from uml_pipeline.learn.joint.part import HEAD, SCALES, Weights
from uml_pipeline.learn.joint.task import TARGET, Run


@dataclass(eq=False)
class Best:
    """How one run did at every look, and its weights at the best of them, the earliest of equals."""

    weights: Weights  # of one run, in the projections' coordinates
    curve: list[float]
    look: int = 0  # number of the best
    factor: float = 1.0  # on its logits, at which they are calibrated

    @property
    def idle(self) -> int:
        """Looks since the best."""
        return len(self.curve) - 1 - self.look


@dataclass(frozen=True, eq=False)
class Fit:
    """One run's result. The weights are kept in the coordinates they were trained in, and made full when asked for."""

    run: Run
    curve: tuple[float, ...]  # on the validation samples at every look: accuracy in [0, 1], or log-loss (Budget.by)
    best: int  # the look that counts: the first of the best
    factor: float  # on the target's logits, at which they are calibrated; 1 if judged by accuracy
    _weights: Weights
    _group: Group

    @property
    def score(self) -> float:
        """Of the curve, at the best look."""
        return self.curve[self.best]

    @cached_property
    def head(self) -> Tensor:
        """The shared head: [class, width], in the task's order of classes."""
        return self._weights[HEAD][torch.argsort(self._group.order)]

    @cached_property
    def projection(self) -> Tensor | None:
        """The target's projection [width, d]; None if the run has none."""
        return self.projection_of(TARGET)

    def projection_of(self, silo: str) -> Tensor | None:
        """A silo's own projection [width, d]; None if it has none."""
        layer = self._group.layers.get(silo)
        return None if layer is None else layer.span.full(self._weights[silo])

    @property
    def scales(self) -> Tensor:
        """Logit scales: the target's, then the silos' that are no bridges, if they were read."""
        return self._weights[SCALES]

    @property
    def folded(self) -> Tensor:
        """The target's path without its scale, as one matrix on the features: [class, d]."""
        return self.head if self.projection is None else self.head @ self.projection

    def logits(self, x: Tensor) -> Tensor:
        """The target's path: [n, d] -> [n, class], -inf where the target lacks the class."""
        logits = self.scales[0] * x @ self.folded.T
        lacking = self._group.order[len(self._group.task.target) :]
        return logits.index_fill(1, lacking, -torch.inf)
