"""What auxiliary samples are worth in the linear-Gaussian model, and when they harm."""

import numpy as np

from uml_pipeline.theory.designs import Design, Matrix
from uml_pipeline.theory.information import Information, efficient

_NOTHING = 1e-12  # a share of the information below which it is rounding


def best_weight(target: Design, auxiliary: Design) -> float:
    """The weight of an auxiliary squared residual that makes joint least squares the most precise: the ratio of noise
    variances. With it the auxiliary silo never harms.
    """
    return (target.noise / auxiliary.noise) ** 2


def joint_variance(target: Design, auxiliary: Design, direction: Matrix, weight: float) -> float:
    """Variance of `direction @ theta_c` by least squares on both silos' residuals; inf where neither sees it.

    Args:
        target: the silo whose residuals have weight 1.
        auxiliary: the silo whose squared residuals are multiplied by `weight`, which is positive.
        direction: what is estimated, [common].
        weight: 1 is the paper's joint estimator (UML, sec. 3.1); `best_weight` the maximum likelihood.
    """
    x, y = _unweighted(target), _unweighted(auxiliary)
    normal = x + y.scaled(weight)
    if not normal.sees(direction):
        return np.inf
    u = normal.solve(direction)
    return target.noise**2 * x.along(u) + (weight * auxiliary.noise) ** 2 * y.along(u)


def _unweighted(design: Design) -> Information:
    """Information in units of the silo's own noise: what stands in unweighted normal equations."""
    return efficient(design).scaled(design.noise**2)


def harm_threshold(target: Design, auxiliary: Design, direction: Matrix) -> float:
    """The ratio of noise variances, auxiliary over target, above which unit weights are worse than the target alone.

    Never below 2: with u = (G_X + G_Y)^-1 v and G the information in units of the noise, it is
    2 + (G_Y u) G_X^-1 (G_Y u) / (u G_Y u). inf where the target is blind, or the auxiliary silo says nothing along it.
    """
    x, y = _unweighted(target), _unweighted(auxiliary)
    if not x.sees(direction):
        return np.inf
    both = x + y
    u = both.solve(direction)
    said = y.along(u)
    if said <= _NOTHING * both.along(u):
        return np.inf
    return 2 + float((x.half(y.matrix @ u) ** 2).sum()) / said


def exchange_rate(target: Design, auxiliary: Design, direction: Matrix) -> float:
    """How many target samples one more auxiliary sample is worth: the ratio of what one more of each takes off the
    variance along `direction`, both silos weighted by their noise.

    With u = (S_X + S_Y)^-1 v it is (u S_Y u / n_Y) / (u S_X u / n_X), more samples being more of the same design. inf
    where the target's samples say nothing along u; nan where neither silo sees the direction.
    """
    x, y = efficient(target), efficient(auxiliary)
    both = x + y
    if not both.sees(direction):
        return np.nan
    u = both.solve(direction)
    of_target, of_auxiliary = x.along(u), y.along(u)
    if of_target <= _NOTHING * both.along(u):
        return np.inf
    return (of_auxiliary / auxiliary.samples) / (of_target / target.samples)


def worth(target: Design, auxiliary: Design, direction: Matrix) -> float:
    """How many more target samples would give the variance that all auxiliary samples together give.

    inf where only the auxiliary silo sees the direction; nan where neither does.
    """
    alone, both = efficient(target), efficient(target) + efficient(auxiliary)
    if not both.sees(direction):
        return np.nan
    return target.samples * (alone.variance(direction) / both.variance(direction) - 1)
