"""What the gradient modes (finetune, ssl) compare: arms with settings, and what each comes to on an episode."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from uml_pipeline.learn.splits import Episode, Rows, held_out

Kind = Literal["image-only", "uml", "control"]
Counts = NDArray[np.int64]
_RATES = (1.0, 1 / 3, 3.0, 1 / 10, 10.0)  # factors on the learning rate, in place of the weights of a loss
_MOST_JUDGES = 16  # samples a class that decide what ships: more cost time and change little
_JUDGES = 8  # stream of random numbers, beside a run's seed


@dataclass(frozen=True)
class Setting:
    """One point of an arm's grid."""

    learning_rate: float
    alpha: float = 0.0  # weight of the auxiliary loss


@dataclass(frozen=True)
class Arm:
    """One way to train."""

    name: str
    label: str
    kind: Kind
    about: str
    settings: tuple[Setting, ...]
    silos: tuple[str, ...] = ()  # auxiliary silos that it reads


@dataclass(frozen=True)
class Cell:
    """One arm on one episode. Counts are of samples recognised and of all, by class."""

    arm: str
    shots: int
    seed: int
    settings: list[dict[str, Any]]  # each `setting`, `score`, `best` (steps) and `history`
    chosen: int
    accuracy: float  # of the chosen one on validation, percent
    judged: tuple[Counts, Counts]  # labelled samples off the test split that neither trained nor validated
    test: tuple[Counts, Counts]

    @property
    def setting(self) -> Setting:
        """The chosen one."""
        return Setting(**self.settings[self.chosen]["setting"])


def joint(learning_rate: float, alphas: Sequence[float]) -> tuple[Setting, ...]:
    """One setting for each weight of the auxiliary loss."""
    return tuple(Setting(learning_rate, alpha) for alpha in alphas)


def alone(learning_rate: float, alphas: Sequence[float]) -> tuple[Setting, ...]:
    """As many settings as UML has weights of its loss: other learning rates, so that the search is as wide."""
    return tuple(Setting(learning_rate * factor) for factor in islice(_RATES, len(alphas)))


def judges(manifest: pd.DataFrame, y: Rows, episode: Episode) -> Rows:
    """Labelled samples off the test split that the episode neither trains nor validates on, some of each class; its
    validation samples where there are none.

    Args:
        manifest: the target's.
        y: class of each of its rows, -1 without label.
        episode: of that manifest.
    """
    taken = np.concatenate([episode.train, episode.val, episode.test, held_out(manifest)])
    rest = np.setdiff1d(np.flatnonzero(y >= 0), taken)
    order = np.random.default_rng([episode.seed, _JUDGES]).permutation(rest)
    by_class = [order[y[order] == one][:_MOST_JUDGES] for one in range(y.max() + 1)]
    return np.sort(np.concatenate(by_class)) if len(rest) else episode.val
