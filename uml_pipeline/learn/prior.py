"""What is known of a class's mean before, and after, its own samples: a Gaussian process over classes.

The mean of class k in the target's space is  mu_k = R t_k + a u_k + delta_k : what each auxiliary silo says of it
(t_k, its class mean there) through a linear map R that all classes share, with Gaussian entries of variance s; u_k,
what a silo says in the target's own space; and a deviation of the class's own, of variance tau. Seen is the mean of
n_k samples, with noise of variance sigma / n_k. R is integrated out; s, a and tau maximise the marginal likelihood: a
silo that says nothing about the classes gets s and a near zero, and nothing is tuned.

It is UML's shared head with frozen encoders in closed form: W = [mu_1 … mu_C] is fed by all silos, coupled by classes
alone. With s known it is kernel ridge regression over classes (Rasmussen and Williams, 2006, chapters 2 and 5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of floats
_FLOOR, _CEILING = 1e-6, 1e2  # of a variance, as shares of what is seen


@dataclass(frozen=True)
class Strengths:
    """How much each source says."""

    maps: Array  # [kernel], s
    offsets: Array  # [offset], a
    deviation: float  # tau

    def scaled(self, factor: float) -> "Strengths":
        """All silos trusted `factor` times as much."""
        return Strengths(factor * self.maps, factor * self.offsets, self.deviation)


@dataclass(frozen=True)
class Classes:
    """What is seen of all classes, of the target and of others."""

    means: Array  # [c, d], around a common centre; rows of classes without samples are not read
    counts: Array  # [c], samples behind each mean, perhaps 0
    noise: float  # sigma: variance of a sample's entry around its class's mean
    kernels: Sequence[Array] = ()  # [c, c] each: t_k @ t_l, zero where a silo lacks a class
    offsets: Sequence[Array] = ()  # [c, d] each: u_k


def posterior(seen: Classes, strengths: Strengths) -> Array:
    """Posterior mean of every class's mean, also of classes without a sample: [c, d]."""
    known = np.flatnonzero(seen.counts > 0)
    shift = _sum(strengths.offsets, seen.offsets, np.zeros(seen.means.shape))
    prior = _sum(strengths.maps, seen.kernels, strengths.deviation * np.eye(len(seen.counts)))
    covariance = prior[np.ix_(known, known)] + np.diag(seen.noise / seen.counts[known])
    return shift + prior[:, known] @ np.linalg.solve(covariance, seen.means[known] - shift[known])


def strengths(seen: Classes) -> Strengths:
    """The strengths of the highest marginal likelihood."""
    return _Evidence(seen, np.flatnonzero(seen.counts > 0)).maximise()


def _sum(weights: Array, parts: Sequence[Array], rest: Array) -> Array:
    return sum((weight * part for weight, part in zip(weights, parts, strict=True)), rest)


class _Evidence:
    """Minus the log marginal likelihood of the seen means, over log s and log tau; a is solved for at each point."""

    def __init__(self, seen: Classes, known: NDArray[np.intp]) -> None:
        y = seen.means[known].astype(np.float64)
        self.unit = max(float((y**2).mean()), np.finfo(float).tiny)
        self.y = y / self.unit**0.5  # [c, d], of variance one
        self.noise = seen.noise / self.unit / seen.counts[known]
        self.kernels = [k[np.ix_(known, known)] for k in seen.kernels]
        self.u = [u[known] / self.unit**0.5 for u in seen.offsets]

    def maximise(self) -> Strengths:
        """The strengths, in the units of what was given."""
        from scipy.optimize import minimize

        sizes = np.array([*(max(np.trace(k) / len(k), _FLOOR) for k in self.kernels), 1.0])
        bounds = [(np.log(_FLOOR / size), np.log(_CEILING / size)) for size in sizes]
        found = minimize(self._loss, np.log(0.5 / sizes), jac=True, method="L-BFGS-B", bounds=bounds)
        values = np.exp(found.x)
        _, a = self._solved(np.linalg.inv(self._covariance(values)))
        return Strengths(values[:-1] * self.unit, a, float(values[-1]) * self.unit)

    def _covariance(self, values: Array) -> Array:
        return _sum(values[:-1], self.kernels, np.diag(self.noise + values[-1]))

    def _solved(self, inverse: Array) -> tuple[Array, Array]:
        """What is left of y without its offsets, and their weights: generalised least squares, never negative."""
        from scipy.optimize import nnls

        if not self.u:
            return self.y, np.zeros(0)
        left = [inverse @ u for u in self.u]
        gram = np.array([[(one * other).sum() for other in self.u] for one in left])
        side = np.array([(one * self.y).sum() for one in left])
        root = np.linalg.cholesky(gram + 1e-9 * np.trace(gram) * np.eye(len(gram)))
        a = nnls(root.T, np.linalg.solve(root, side))[0]
        return self.y - _sum(a, self.u, np.zeros_like(self.y)), a

    def _loss(self, logs: Array) -> tuple[float, Array]:
        """Per entry of y, and its gradient; a being optimal, its own change does not count."""
        values, d = np.exp(logs), self.y.shape[1]
        root = np.linalg.cholesky(self._covariance(values))
        half = np.linalg.inv(root)
        inverse = half.T @ half
        left, _ = self._solved(inverse)
        fit = inverse @ left  # [c, d]
        loss = np.log(np.diag(root)).sum() + 0.5 * (left * fit).sum() / d
        slope = [(inverse * k).sum() - ((k @ fit) * fit).sum() / d for k in self.kernels]
        slope.append(np.trace(inverse) - (fit**2).sum() / d)
        return float(loss), 0.5 * values * np.array(slope)
