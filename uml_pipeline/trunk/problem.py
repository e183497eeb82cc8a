"""What one episode gives to every arm: standardised samples, class means, and what the auxiliary silos say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from uml_pipeline.learn.geometry import Array, centre_of, class_means, standardise
from uml_pipeline.learn.samples import Samples
from uml_pipeline.learn.splits import Rows
from uml_pipeline.trunk.projection import project
from uml_pipeline.trunk.silos import Silo
from uml_pipeline.trunk.world import View, World


@dataclass(frozen=True)
class Problem:
    """One episode, ready to learn from. All features are unit vectors in the target's space, seen from a centre."""

    seed: int
    train: Samples
    val: Samples
    means: Tensor  # [class, d], target class means; zero where a class has no sample
    prototypes: Tensor  # [silo, class, d], class means of each auxiliary silo; zero where it has no sample
    silos: tuple[str, ...]  # auxiliary
    centre: Array  # [d], of the target's features
    world: World

    @property
    def view(self) -> View:
        """All that these silos say, of other classes too."""
        return self.world.seen_by(self.silos)

    def of(self, silos: tuple[str, ...]) -> "Problem":
        """The same episode with some of the auxiliary silos alone."""
        kept = [self.silos.index(name) for name in silos]
        return replace(self, prototypes=self.prototypes[kept], silos=silos)

    def look_at(self, x: Array, y: NDArray[np.int64]) -> Samples:
        """Further target samples (raw features) as this episode's model would see them."""
        return _samples(standardise(x, self.centre), y)


def build(
    target: Silo, auxiliary: Sequence[Silo], classes: Sequence[str], train: Rows, val: Rows, seed: int
) -> Problem:
    """Standardise the target by its training rows and bring the auxiliary silos into its space."""
    y = target.index(classes)
    centre = centre_of(target.x[train])
    x = standardise(target.x, centre)
    means = class_means(x[train], y[train], len(classes))
    seen = [_bring(silo, classes, target.space, means) for silo in auxiliary]
    prototypes = [class_means(*one, len(classes)) for one in seen]
    stacked = np.stack(prototypes) if prototypes else np.zeros((0, *means.shape), np.float32)
    names = tuple(silo.name for silo in auxiliary)
    world = World(x[train], y[train], classes, centre, target, auxiliary)
    return Problem(
        seed,
        _samples(x[train], y[train]),
        _samples(x[val], y[val]),
        torch.from_numpy(means),
        torch.from_numpy(stacked),
        names,
        centre,
        world,
    )


def _bring(silo: Silo, classes: Sequence[str], space: str, means: Array) -> tuple[Array, NDArray[np.int64]]:
    """A silo's samples of known classes, standardised, and projected where its space is not the target's."""
    y = silo.index(classes)
    known = y >= 0
    if not known.any():
        return means[:0], y[:0]
    x, y = standardise(silo.x[known], centre_of(silo.x[known])), y[known]
    return (x if silo.space == space else project(x, y, means)), y


def _samples(x: Array, y: NDArray[np.int64]) -> Samples:
    return Samples(torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(y))
