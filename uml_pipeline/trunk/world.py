"""All classes that any silo knows, as one episode sees them: what few target samples lack, others may say."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from uml_pipeline.learn.geometry import Array, centre_of, means_of, standardise, whitening
from uml_pipeline.learn.prior import Classes, Strengths, posterior, strengths
from uml_pipeline.learn.ridge import Told
from uml_pipeline.learn.samples import Samples
from uml_pipeline.trunk.silos import Silo

_UNKNOWN = 0.5  # share of what is seen of a class that is its samples' noise, where no class has two samples
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class View:
    """What some silos say, in coordinates where samples scatter alike in all directions, as far as a bridge tells."""

    classes: Classes  # the target's come first
    middle: Array  # [d], what `classes.means` are seen from
    whiten: Array | None  # [d, d], symmetric; None without a bridge: the coordinates are the features' own
    train: Samples
    _strengths: dict[float, Strengths] = field(default_factory=dict)

    def posterior(self, trust: float, noise: float) -> Array:
        """Posterior class means [class, d], silos trusted `trust` times as much as likelihood says, with `noise` times
        the noise that was seen.
        """
        seen = replace(self.classes, noise=noise * self.classes.noise)
        if noise not in self._strengths:
            self._strengths[noise] = strengths(seen)
        return (posterior(seen, self._strengths[noise].scaled(trust)) + self.middle).astype(np.float32)

    def directions(self, trust: float, noise: float) -> torch.Tensor:
        """Of the posterior class means: unit rows [class, d]."""
        return normalize(torch.from_numpy(self.posterior(trust, noise)), dim=1)

    def fold(self, head: torch.Tensor) -> torch.Tensor:
        """A head in these coordinates as one on the features: [class, d] -> [class, d]."""
        return head if self.whiten is None else head @ torch.from_numpy(self.whiten)


class World:
    """One episode's target samples and all silos. Bridges are samples like the target's, of whatever classes."""

    def __init__(self, x: Array, y: Labels, classes: Sequence[str], centre: Array, target: Silo, silos: Sequence[Silo]):
        """`x` [n, d] are the target's training samples, standardised, and `y` [n] their classes."""
        self._x, self._y, self._centre = x, y, centre
        self.target = target
        self.silos = {silo.name: silo for silo in silos}
        self._own = list(classes)
        self._views: dict[tuple[str, ...], View] = {}
        self._told: dict[tuple[str, ...], Told] = {}

    @property
    def width(self) -> int:
        """Of a head behind a projection: that of the narrowest silo which is no bridge; it passes no projection."""
        others = [silo.x.shape[1] for silo in self.silos.values() if not silo.bridges(self.target)]
        return min(others, default=self._x.shape[1])

    def union(self, silos: Sequence[Silo]) -> list[str]:
        """The target's classes, then those that only bridges among `silos` have."""
        bridges = [silo for silo in silos if silo.bridges(self.target)]
        beyond = {label for silo in bridges for label in silo.manifest["label"].dropna()}
        return [*self._own, *sorted(beyond.difference(self._own))]

    def seen_by(self, names: tuple[str, ...]) -> View:
        """What the silos of these names say, with the target's training samples."""
        if names not in self._views:
            self._views[names] = self._look(*self._sorted(names))
        return self._views[names]

    def told_by(self, names: tuple[str, ...]) -> Told:
        """All samples in the coordinates of that view, and what the silos that are no bridges say of their classes."""
        if names not in self._told:
            bridges, others = self._sorted(names)
            classes, whiten = self.union(bridges), self.seen_by(names).whiten
            x, y = self._samples(bridges, classes)
            said = np.hstack([np.zeros((len(classes), 0)), *(_shared(silo, classes) for silo in others)])
            self._told[names] = Told.of(x if whiten is None else x @ whiten, y, said)
        return self._told[names]

    def _sorted(self, names: tuple[str, ...]) -> tuple[list[Silo], list[Silo]]:
        """Bridges, and the others."""
        silos = [self.silos[name] for name in names]
        bridges = [silo for silo in silos if silo.bridges(self.target)]
        return bridges, [silo for silo in silos if not silo.bridges(self.target)]

    def _look(self, bridges: list[Silo], others: list[Silo]) -> View:
        classes = self.union(bridges)
        x, y = self._samples(bridges, classes)
        means, counts = means_of(x, y, len(classes))
        whiten = whitening(x - means[y], len(y) - int((counts > 0).sum())) if bridges else None
        if whiten is not None:
            whiten /= np.sqrt(((x @ whiten) ** 2).sum(1).mean())  # keeps the logits' scale
            x, means = x @ whiten, means @ whiten
        middle = means[counts > 0].mean(0)
        seen = [_shared(silo, classes) for silo in others]
        aligned = [t for t, silo in zip(seen, others, strict=True) if silo.space == self.target.space]
        around = np.where(counts[:, None] > 0, means - middle, 0)
        known_to = Classes(
            around,
            counts,
            _noise(x - means[y], len(y) - int((counts > 0).sum()), around[counts > 0]),
            [(t @ t.T).astype(np.float64) for t in seen],
            [t if whiten is None else t @ whiten for t in aligned],
        )
        own = len(self._y)
        return View(known_to, middle, whiten, Samples(torch.from_numpy(x[:own]), torch.from_numpy(self._y)))

    def _samples(self, bridges: list[Silo], classes: Sequence[str]) -> tuple[Array, Labels]:
        """The target's training samples, then the bridges', and their classes."""
        x, y = self._x, self._y
        for silo in bridges:
            known = silo.index(classes)
            x = np.concatenate([x, standardise(silo.x[known >= 0], self._centre)])
            y = np.concatenate([y, known[known >= 0]])
        return x, y


def _shared(silo: Silo, classes: Sequence[str]) -> Array:
    """A silo's class means around their middle, of length one on average: [class, d_silo], zero where it has none."""
    y = silo.index(classes)
    known = y >= 0
    means, counts = means_of(standardise(silo.x[known], centre_of(silo.x[known])), y[known], len(classes))
    there = counts > 0
    means[there] -= means[there].mean(0)
    return means / max(np.sqrt((means[there] ** 2).sum(1).mean()), np.finfo(np.float32).tiny)


def _noise(rest: Array, freedom: int, means: Array) -> float:
    """Variance of a sample's entry around its class's mean."""
    if freedom > 0:
        return float((rest.astype(np.float64) ** 2).sum() / freedom / rest.shape[1])
    return _UNKNOWN * float((means**2).mean())
