"""What the joint engine is given: samples of several modalities over one set of classes, and the runs to train."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from uml_pipeline.learn.joint.streams import generator
from uml_pipeline.learn.samples import Samples

TARGET = ""  # name of the target's projection and batches
Shots = int | Literal["all", "average"]


@dataclass(frozen=True, eq=False)
class Auxiliary:
    """One auxiliary silo: features [n, d] with class numbers [n] of the union, as they are to be learnt from.

    `bridge`: it lies in the target's feature space, and so passes through the target's projection and logit scale.
    """

    name: str  # its random numbers hang on it, not on its place among the silos
    samples: Samples
    bridge: bool = False


@dataclass(frozen=True, eq=False)
class Start:
    """Where a run begins, if not at random."""

    head: Tensor  # [class, width]
    projection: Tensor | None = None  # the target's, [width, d]; absent: at random


@dataclass(frozen=True, eq=False)
class Task:
    """One episode. Nothing of it is a test sample: selection could not read one if it wanted to."""

    seed: int
    classes: tuple[str, ...]  # the union of all silos' classes; random head rows hang on the names, not on the order
    train: Samples
    val: Samples
    auxiliary: tuple[Auxiliary, ...] = ()
    width: int | None = None  # of the head; default: the first auxiliary silo's that is no bridge, else the target's
    starts: Mapping[str, Start] = field(default_factory=dict)  # by the names that runs know them by

    @cached_property
    def head_width(self) -> int:
        """Columns of the head behind a projection."""
        dims = [silo.samples.x.shape[1] for silo in self.auxiliary if not silo.bridge]
        return self.width or (dims or [self.train.x.shape[1]])[0]

    @cached_property
    def target(self) -> Tensor:
        """Class numbers that the target has: [class of the target], ascending."""
        return torch.cat([self.train.y, self.val.y]).unique()


@dataclass(frozen=True)
class Run:
    """One model to train, by its settings (UML, sec. 1.2 to 1.4). The defaults are the unimodal model with projection.

    With `alpha` 0 the auxiliary silos are not read, save for `init`.
    """

    rate: float = 1e-3  # of AdamW, before warm-up and cosine
    decay: float = 0.0  # AdamW's weight decay
    batch: int = 32  # samples a step and modality
    alpha: float = 0.0  # weight of the auxiliary loss, the mean over silos
    scale: float = 1.0  # of the logits at the start, in each modality
    learn_scales: bool = False
    projection: bool = True  # a linear map before the head; without one all silos that are read lie in one space
    init: str = (
        "random"  # or one of the task's starts, or "text": unit mean of a class's auxiliary samples, if it has any
    )
    shots: Shots = "all"  # auxiliary samples a class: all, so many, or their average
    ratio: Fraction = Fraction(1)  # auxiliary batches a target batch: an integer, or 1/r for one in every r steps

    def __post_init__(self) -> None:
        if self.ratio.numerator != 1 and self.ratio.denominator != 1:
            raise ValueError(f"ratio {self.ratio} is neither an integer nor one over an integer")


@dataclass(frozen=True)
class Budget:
    """How long to train: the same for every arm of a comparison. Defaults: UML, sec. 1.2."""

    steps: int = 12_800  # at most
    every: int = 100  # steps between looks at the validation samples; the first look follows the first step
    patience: int = 10  # looks in a row without a better one before a run stops
    warm_up: int = 50  # steps
    by: Literal["accuracy", "loss"] = "accuracy"  # on the validation samples: what is better; loss: at the best scale


def select(silo: Auxiliary, shots: Shots, task: Task) -> Samples:
    """The auxiliary samples that runs with `shots` see; all that do see the same (UML, sec. 1.6)."""
    x, y = silo.samples.x, silo.samples.y
    if shots == "all":
        return silo.samples
    own = y.unique()
    if shots == "average":
        return Samples(torch.stack([x[y == one].mean(0) for one in own]), own)
    rows = [_draw((y == one).nonzero()[:, 0], shots, [silo.name, task.classes[one]], task.seed) for one in own]
    chosen = torch.cat(rows).sort().values
    return Samples(x[chosen], y[chosen])


def _draw(rows: Tensor, count: int, names: Sequence[str], seed: int) -> Tensor:
    """`count` of the rows, or all where there are fewer; larger counts contain smaller ones."""
    return rows[torch.randperm(len(rows), generator=generator(seed, *names))[:count]]
