"""Accuracy as a function of target and auxiliary samples a class, monotone in both: what one is worth in the other.

accuracy(n, m) = a + b phi(n + worth(m)), phi(t) = (1 - t^-g) / g, worth(m) = u (m / M) (1 + s) / (1 + s m / M).

phi is the usual power law of learning curves (g = 0: a logarithm). That auxiliary samples count as target samples, and
fewer the more there are (s > 0), is what the Gaussian model of learn/prior.py says: m of them know a class's mean to
tau + sigma_m / m, target samples to sigma_n / n, and precisions add, so that m are worth sigma_n / (tau + sigma_m / m)
target samples. A plane (UML, sec. 4.4) says that neither curve bends. M is the grid's largest m, u what it is worth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
_BENDS = np.array([1e-6, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0, 2.5])  # g; the first is the logarithm
_FLATTENINGS = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0])  # s
_WORTHS = np.concatenate([[0.0], np.logspace(-2.5, 2, 160)])  # u, in steps of 7 %
_FEWEST_FOR_BEND = 3  # numbers of target samples: two say nothing of a bend


@dataclass(frozen=True)
class Surface:
    """One fit; accuracies in percent."""

    a: float
    b: float
    bend: float  # g
    worth_of_all: float  # u
    flattening: float  # s
    most: float  # M

    def worth(self, auxiliary: Numbers) -> Numbers:
        """Target samples that so many auxiliary samples are worth."""
        return _worth(auxiliary / self.most, self.worth_of_all, self.flattening)

    def accuracy(self, target: Numbers, auxiliary: Numbers) -> Numbers:
        """In percent, never falling in either."""
        return self.a + self.b * _phi(target + self.worth(auxiliary), self.bend)

    @property
    def price(self) -> float:
        """Auxiliary samples that one more target sample is worth; inf where no number of them is."""
        return float(_price(np.array(self.worth_of_all), np.array(self.flattening), self.most))

    def target_for(self, accuracy: float, auxiliary: Numbers) -> Numbers:
        """Target samples that reach the accuracy beside so many auxiliary ones: the curve of equal accuracy."""
        left = 1 - self.bend * (accuracy - self.a) / self.b if self.b > 0 else 0.0
        return (left ** (-1 / self.bend) if left > 0 else np.inf) - self.worth(auxiliary)


def fit(target: Numbers, auxiliary: Numbers, accuracy: Numbers) -> tuple[Surface, Numbers, Numbers]:
    """Least squares over a grid of g, u and s, where a and b >= 0 follow; the first fit is then polished.

    Args:
        target: target samples a class of each cell, [cell], at least 1.
        auxiliary: auxiliary samples a class, [cell].
        accuracy: percent, [resample, cell]; the first row is what was measured, others resample it.

    Returns:
        The fit of the first row, and of every row what all auxiliary samples are worth and the price of one target
        sample: [resample] each.
    """
    most = float(auxiliary.max())
    bends = _BENDS if len(np.unique(target)) >= _FEWEST_FOR_BEND else _BENDS[:1]
    points = np.array(np.meshgrid(bends, _WORTHS, _FLATTENINGS, indexing="ij")).reshape(3, -1)  # [3, point]
    g, u, s = points[:, :, None]
    shapes = _phi(target + _worth(auxiliary / most, u, s), g)  # [point, cell]
    best = _best(shapes, accuracy)
    surface = _polish(points[:, best[0]], target, auxiliary, accuracy[0], most)
    worths, flattenings = points[1:, best]
    worths[0], flattenings[0] = surface.worth_of_all, surface.flattening
    return surface, worths, _price(worths, flattenings, most)


def _best(shapes: Numbers, accuracy: Numbers) -> NDArray[np.intp]:
    """Of each row of accuracies, which shape leaves least after a + b shape, b >= 0: [resample]."""
    around = shapes - shapes.mean(1, keepdims=True)
    length = np.linalg.norm(around, axis=1, keepdims=True)
    unit = np.divide(around, length, out=np.zeros_like(around), where=length > 1e-9)
    rows = accuracy - accuracy.mean(1, keepdims=True)
    return np.array([int(np.argmax(unit @ row)) for row in rows])  # a rising line explains the most along it


def _polish(start: Numbers, target: Numbers, auxiliary: Numbers, accuracy: Numbers, most: float) -> Surface:
    """From the grid's best point to the minimum beside it; worth nothing, and no bend, stay what they are."""
    from scipy.optimize import least_squares

    def solved(point: Numbers) -> tuple[float, float, Numbers]:
        shape = _phi(target + _worth(auxiliary / most, np.exp(point[1]), point[2]), point[0])
        around = shape - shape.mean()
        b = max(float(around @ accuracy / max(around @ around, 1e-12)), 0.0)
        a = float(accuracy.mean() - b * shape.mean())
        return a, b, accuracy - a - b * shape

    g, u, s = start
    if u == 0:
        shape = _phi(target, g)
        b = max(float(np.cov(shape, accuracy, bias=True)[0, 1] / max(shape.var(), 1e-12)), 0.0)
        return Surface(float(accuracy.mean() - b * shape.mean()), b, float(g), 0.0, 0.0, most)
    bounds = [(1e-6, 2e-6 if g == _BENDS[0] else 4.0), (-9.0, 6.0), (0.0, 64.0)]
    first = np.array([min(max(g, 1.5e-6), 3.9), np.log(u), max(s, 1e-3)])
    found = least_squares(lambda point: solved(point)[2], first, bounds=np.array(bounds).T)
    a, b, _ = solved(found.x)
    return Surface(a, b, float(found.x[0]), float(np.exp(found.x[1])), float(found.x[2]), most)


def _phi(t: Numbers, bend: Numbers | float) -> Numbers:
    return -np.expm1(-bend * np.log(t)) / bend


def _worth(share: Numbers, u: Numbers | float, s: Numbers | float) -> Numbers:
    return u * share * (1 + s) / (1 + s * share)


def _price(u: Numbers, s: Numbers, most: float) -> Numbers:
    """Where worth(m) is 1."""
    left = u * (1 + s) - s
    return np.divide(most, left, out=np.full(left.shape, np.inf), where=left > 1e-12)
