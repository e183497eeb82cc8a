"""Bring an unaligned auxiliary silo into the target's feature space, so that one head serves both."""

import numpy as np
from numpy.typing import NDArray

from uml_pipeline.learn.geometry import Array, class_means, unit

STRENGTHS = np.logspace(-2, 3, 6)


def project(x: Array, y: NDArray[np.int64], means: Array) -> Array:
    """Ridge map from auxiliary class means to target class means, applied to the auxiliary samples.

    Classes couple the two, never samples. The strength is chosen by leave-one-class-out. The map sits on the auxiliary
    path, which is thrown away: the shipped model does not grow.

    Args:
        x: auxiliary samples [n, d_auxiliary], standardised.
        y: their classes [n].
        means: target class means [class, d], zero where a class has no sample.

    Returns:
        Unit vectors [n, d].
    """
    from sklearn.linear_model import RidgeCV

    own = class_means(x, y, len(means))
    both = (np.abs(own).sum(1) > 0) & (np.abs(means).sum(1) > 0)
    ridge = RidgeCV(alphas=STRENGTHS, fit_intercept=False).fit(own[both], means[both])
    return unit(ridge.predict(x).astype(np.float32))
