"""Multinomial logistic regression without intercept, of one modality or of several that share the head.

Alone it is the convex peer of the trained probe, with scikit-learn's objective (`LogisticRegression(C,
fit_intercept=False)`, a test holds them equal), whose solver needs seconds for one fit of hundreds of classes. With
auxiliary samples it is UML's own joint loss (UML, sec. 3.2) plus a ridge, solved to its optimum: with frozen encoders
and a shared linear head that loss is convex, so no start, step size or stopping time is left to choose.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from uml_pipeline.learn.heads import Samples, gradient

ITERATIONS = 30  # suffice unless the strength is huge, and stopping early there only regularises more


def fit(own: Samples, classes: int, strength: float, auxiliary: Sequence[Samples] = (), alpha: float = 0.0) -> Tensor:
    """Minimise CE(own) + alpha * mean over silos of CE(silo) + |W|^2 / (2 strength n): [class, d].

    Nesterov's method for strongly convex functions, from zero. `n` is the number of own samples.
    """
    terms = [(own, 1.0), *((samples, alpha / len(auxiliary)) for samples in auxiliary)]
    ridge = 1 / (strength * len(own))
    curvature = ridge + sum(weight * _curvature(samples) for samples, weight in terms)
    root = (ridge / curvature) ** 0.5
    momentum = (1 - root) / (1 + root)
    head = ahead = torch.zeros(1, classes, own.x.shape[1])
    for _ in range(ITERATIONS):
        slope = ridge * ahead
        for samples, weight in terms:
            slope += weight * gradient(ahead, samples, torch.ones(1))
        new = ahead - slope / curvature
        ahead = new + momentum * (new - head)
        head = new
    return head[0]


def _curvature(samples: Samples) -> float:
    """Bound on the Hessian of the mean cross-entropy: half the largest eigenvalue of X'X / n."""
    return 0.5 * float(torch.linalg.eigvalsh(samples.x.T @ samples.x)[-1]) / len(samples)
