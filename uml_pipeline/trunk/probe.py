"""Probe mode: what an arm does on an episode; selection by validation alone, the test samples read once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from uml_pipeline.learn.samples import Samples
from uml_pipeline.learn.splits import Episode
from uml_pipeline.trunk.arms import Arm, Fit, Setting
from uml_pipeline.trunk.problem import Problem


@dataclass(frozen=True)
class Result:
    """One arm on one episode: the setting that validation chose, and what it does on the test samples."""

    arm: Arm
    episode: Episode
    fits: list[Fit]  # one a setting, without their heads
    val: float  # validation accuracy of the chosen one, in [0, 1]
    correct: NDArray[np.int64]  # [class], test samples recognised
    counts: NDArray[np.int64]  # [class], test samples

    @property
    def chosen(self) -> int:
        """Number of the best setting, the first of equals."""
        return int(np.argmin([fit.loss for fit in self.fits]))

    @property
    def setting(self) -> Setting:
        """The best setting."""
        return self.arm.settings[self.chosen]

    @property
    def test(self) -> float:
        """Test accuracy in [0, 1]."""
        return float(self.correct.sum() / self.counts.sum())


def judge(arm: Arm, fits: Sequence[Fit], problem: Problem, episode: Episode, test: Samples) -> Result:
    """Choose one of an arm's settings by validation, and count its hits on the test samples."""
    best = min(fits, key=lambda fit: fit.loss)  # the first of equals
    correct, counts = hits(best.head, test)
    val_correct, val_counts = hits(best.head, problem.val)
    # heads of all settings are large: keep the curves alone
    slim = [replace(fit, head=fit.head[:0]) for fit in fits]
    return Result(arm, episode, slim, float(val_correct.sum() / val_counts.sum()), correct, counts)


def hits(head: Tensor, samples: Samples) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Samples of each class that a head [class, d] recognises, and how many there are: [class], [class]."""
    y, classes = samples.y, len(head)
    right = (samples.x @ head.T).argmax(1) == y
    return y[right].bincount(minlength=classes).numpy(), y.bincount(minlength=classes).numpy()


def mean_curve(fits: Sequence[Fit]) -> NDArray[np.float64]:
    """Validation log-loss at each look, averaged over episodes; a run that stopped keeps its last value."""
    longest = max(len(fit.curve) for fit in fits)
    return np.mean([np.pad(fit.curve, (0, longest - len(fit.curve)), mode="edge") for fit in fits], axis=0)
