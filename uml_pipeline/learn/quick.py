"""UML in its quickest form, to be repeated hundreds of times: posterior class means, silos trusted by so much.

The model is that of learn/prior.py with the strengths given instead of sought. Of the variance tau of the classes'
means a silo explains the share `trust`: as an offset sqrt(trust * tau) t_k where its features lie in the target's own
space, by a map that all classes share, of covariance trust * tau * t_k @ t_l, where they do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from uml_pipeline.learn.geometry import means_of
from uml_pipeline.learn.splits import Rows

Counts = NDArray[np.int64]
_LEAST = 0.05  # share of a variance that is never explained away


@dataclass(frozen=True, eq=False)
class Hint:
    """What a silo says of the classes, and how far it is trusted."""

    means: Tensor  # [class, d_silo], around their middle and of length one on average; zero where it has none
    aligned: bool  # whether d_silo is the target's own space
    trust: float = 0.0

    @property
    def covered(self) -> Rows:
        """Classes that it says something of."""
        return np.flatnonzero(self.means.abs().sum(1) > 0)

    def trusted(self, trust: float) -> "Hint":
        """The same, trusted so far."""
        return replace(self, trust=trust)

    def permuted(self, draw: np.random.Generator) -> "Hint":
        """The same words, each class's under another one's name."""
        order, covered = np.arange(len(self.means)), self.covered
        order[covered] = draw.permutation(covered)
        return replace(self, means=self.means[order])

    def noise(self, draw: np.random.Generator) -> "Hint":
        """As many numbers of the same size that say nothing."""
        drawn = torch.from_numpy(draw.standard_normal(self.means.shape).astype(np.float32))
        drawn *= (self.means.abs().sum(1, keepdim=True) > 0) * self.means.shape[1] ** -0.5
        return replace(self, means=drawn)


@dataclass(frozen=True)
class Draw:
    """Rows of the target: the few that are learnt from, and those that are then to be recognised."""

    train: Rows
    asked: Rows


class Quick:
    """Target samples, bridge samples behind them, and draws of a few target samples a class."""

    def __init__(self, x: Tensor, y: Rows, own: int, bridge: Rows, draws: Sequence[Draw]) -> None:
        """`x` [n, d]: unit vectors around a centre, of classes `y` [n], of which the target's are the first `own`;
        `bridge`: rows that every draw knows.
        """
        self.own, self.classes = own, int(y.max()) + 1
        means, counts = _means(x, y, self.classes)
        self._middle = means.mean(0)
        self._within = float((x - means[y]).square().sum()) / max(len(y) - self.classes, 1)
        spread = float((means - self._middle).square().sum()) / self.classes
        self._between = max(spread - self._within * float((1 / counts).mean()), _LEAST * self._within)
        self.samples = len(np.unique(np.concatenate([one.asked for one in draws])))  # that are ever asked
        self._draws = [_Seen.of(x, y, np.concatenate([one.train, bridge]), one.asked, self) for one in draws]

    @cached_property
    def counts(self) -> Counts:
        """Samples that are asked: [draw, class]."""
        return np.stack([np.bincount(one.y, minlength=self.own) for one in self._draws])

    def right(self, hints: Sequence[Hint] = (), most: int | None = None) -> Counts:
        """Samples that are recognised with what the silos say: [draw, class], of the first `most` draws."""
        shift, found = self._shift(hints), []
        weights: Tensor | None = None
        for place, draw in enumerate(self._draws[:most]):
            if weights is None or not torch.equal(draw.counts, self._draws[place - 1].counts):
                weights = self._weights(hints, draw.counts)
            guess = self._middle + shift[: self.own] + _apply(weights, draw.means - shift)
            best = (draw.x @ normalize(guess, dim=1).T).argmax(1).numpy()
            found.append(np.bincount(draw.y[best == draw.y], minlength=self.own))
        return np.stack(found)

    def around(self, means: Tensor) -> Tensor:
        """Class means seen from their middle."""
        return means - self._middle

    def _shift(self, hints: Sequence[Hint]) -> Tensor:
        """What aligned silos expect of each class's mean, around the middle: [class, d]."""
        parts = [(hint.trust * self._between) ** 0.5 * hint.means for hint in hints if hint.aligned]
        return sum(parts, torch.zeros(self.classes, len(self._middle)))

    def _weights(self, hints: Sequence[Hint], counts: Tensor) -> Tensor:
        """How each of the target's means follows from those that are seen: [own class, class], or [own class] where
        it follows from its own alone.
        """
        left = self._between * max(1 - sum(hint.trust for hint in hints), _LEAST)
        others = [hint for hint in hints if hint.trust and not hint.aligned]
        if not others:
            return (left * counts / (left * counts + self._within))[: self.own]
        prior = left * torch.eye(self.classes)
        for hint in others:
            prior += hint.trust * self._between * (hint.means @ hint.means.T)
        known = counts.nonzero()[:, 0]
        root = torch.linalg.cholesky(prior[known][:, known] + torch.diag(self._within / counts[known]))
        weights = torch.zeros(self.own, self.classes)
        weights[:, known] = torch.cholesky_solve(prior[known][:, : self.own], root).T
        return weights


@dataclass(frozen=True, eq=False)
class _Seen:
    """One draw, ready to be asked."""

    means: Tensor  # [class, d], around the middle; zero where nothing is seen
    counts: Tensor  # [class], samples behind each
    x: Tensor  # [asked, d]
    y: Rows  # [asked]

    @classmethod
    def of(cls, x: Tensor, y: Rows, known: Rows, asked: Rows, quick: Quick) -> "_Seen":
        means, counts = _means(x[known], y[known], quick.classes)
        return cls(torch.where(counts[:, None] > 0, quick.around(means), 0), counts, x[asked], y[asked])


def _means(x: Tensor, y: Rows, classes: int) -> tuple[Tensor, Tensor]:
    means, counts = means_of(x.numpy(), y, classes)
    return torch.from_numpy(means), torch.from_numpy(counts).float()


def _apply(weights: Tensor, means: Tensor) -> Tensor:
    return weights @ means if weights.ndim == 2 else weights[:, None] * means[: len(weights)]
