"""Multinomial logistic regression without intercept: the convex peer of the trained probe.

Same objective as scikit-learn's `LogisticRegression(C, fit_intercept=False)` (a test holds them equal), whose solver
needs seconds for one fit of hundreds of classes where Nesterov's method needs a fraction (benchmarks/probe.py).
"""

import torch
from torch import Tensor

from uml_pipeline.learn.heads import Samples, gradient


def fit(samples: Samples, classes: int, strength: float, iterations: int = 30) -> Tensor:
    """Minimise mean CE + |W|^2 / (2 strength n) by Nesterov's method for strongly convex functions: [class, d].

    Starts at zero. 30 iterations suffice unless the strength is huge, and stopping early there only regularises more.
    """
    n, d = samples.x.shape
    ridge = 1 / (strength * n)
    curvature = 0.5 * float(torch.linalg.matrix_norm(samples.x, 2)) ** 2 / n + ridge  # bound on the Hessian
    root = (ridge / curvature) ** 0.5
    momentum = (1 - root) / (1 + root)
    head = ahead = torch.zeros(1, classes, d)
    for _ in range(iterations):
        new = ahead - (gradient(ahead, samples.x, samples.y, torch.ones(1)) + ridge * ahead) / curvature
        ahead = new + momentum * (new - head)
        head = new
    return head[0]
