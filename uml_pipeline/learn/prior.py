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
    """How much each source says, by marginal likelihood."""

    maps: Array  # [kernel], s
    offsets: Array  # [offset], a
    deviation: float  # tau


@dataclass(frozen=True)
class Classes:
    """What is seen of all classes, of the target and of others."""

    means: Array  # [c, d], around a common centre; rows of classes without samples are not read
    counts: Array  # [c], samples behind each mean, perhaps 0
    noise: float  # sigma: variance of a sample's entry around its class's mean
    kernels: Sequence[Array] = ()  # [c, c] each: t_k @ t_l, zero where a silo lacks a class
    offsets: Sequence[Array] = ()  # [c, d] each: u_k


def posterior(seen: Classes, factors: Sequence[float] | None = None) -> tuple[Array, Strengths]:
    """Posterior mean of every class's mean [c, d], also of classes without a sample, and the strengths found.

    `factors` scale the strengths of kernels and offsets, in that order: 1 trusts the marginal likelihood, 0 ignores the
    silo.
    """
    known = np.flatnonzero(seen.counts > 0)
    y = seen.means[known].astype(np.float64)
    strengths = _Evidence(y, seen, known).maximise()
    scale = np.ones(len(seen.kernels) + len(seen.offsets)) if factors is None else np.asarray(factors, float)
    maps, offsets = strengths.maps * scale[: len(seen.kernels)], strengths.offsets * scale[len(seen.kernels) :]
    shift = _sum(offsets, seen.offsets, np.zeros(seen.means.shape))
    prior = _sum(maps, seen.kernels, strengths.deviation * np.eye(len(seen.counts)))
    covariance = prior[np.ix_(known, known)] + np.diag(seen.noise / seen.counts[known])
    return shift + prior[:, known] @ np.linalg.solve(covariance, y - shift[known]), strengths


def _sum(weights: Array, parts: Sequence[Array], rest: Array) -> Array:
    return sum((weight * part for weight, part in zip(weights, parts, strict=True)), rest)


class _Evidence:
    """Minus the log marginal likelihood of the seen means, over log s and log tau; a is solved for at each point."""

    def __init__(self, y: Array, seen: Classes, known: NDArray[np.intp]) -> None:
        self.unit = max(float((y**2).mean()), np.finfo(float).tiny)
        self.y = y / self.unit**0.5  # [c, d], of variance one
        self.noise = seen.noise / self.unit / seen.counts[known]
        self.parts = [k[np.ix_(known, known)] for k in seen.kernels] + [np.eye(len(known))]
        self.u = [u[known] / self.unit**0.5 for u in seen.offsets]

    def maximise(self) -> Strengths:
        """The strengths, in the units of what was given."""
        from scipy.optimize import minimize

        sizes = np.array([max(np.trace(part) / len(part), _FLOOR) for part in self.parts])
        bounds = [(np.log(_FLOOR / size), np.log(_CEILING / size)) for size in sizes]
        found = minimize(self._loss, np.log(0.5 / sizes), jac=True, method="L-BFGS-B", bounds=bounds)
        values = np.exp(found.x)
        _, a = self._solved(np.linalg.inv(self._covariance(values)))
        return Strengths(values[:-1] * self.unit, a, float(values[-1]) * self.unit)

    def _covariance(self, values: Array) -> Array:
        return _sum(values, self.parts, np.diag(self.noise))

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
        covariance = self._covariance(values)
        inverse = np.linalg.inv(covariance)
        left, _ = self._solved(inverse)
        fit = inverse @ left  # [c, d]
        loss = 0.5 * (np.linalg.slogdet(covariance)[1] + (left * fit).sum() / d)
        slope = [(inverse * part).sum() - ((part @ fit) * fit).sum() / d for part in self.parts]
        return float(loss), 0.5 * values * np.array(slope)
