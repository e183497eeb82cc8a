"""How good is a frozen representation? A logistic regression with the protocol's settings, and nearest neighbours."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.neighbors import KNeighborsClassifier

from uml_pipeline.learn.geometry import Array

Classes = NDArray[np.int64]
_ITERATIONS = 200  # of the protocol (UML, sec. 2.4); it may end before L-BFGS has converged
_NEIGHBOURS = 5
_NEVER = 20.0  # how far below all others the logit of a class without training samples is


@dataclass(frozen=True)
class Probe:
    """Logits of representations z [n, width]: z @ weight.T + bias."""

    weight: Array  # [class, width]
    bias: Array  # [class]

    def logits(self, z: Array) -> Array:
        """[n, width] -> [n, class]."""
        return z @ self.weight.T + self.bias

    def loss(self, z: Array, y: Classes) -> float:
        """Log-loss of these samples."""
        logits = self.logits(z).astype(np.float64)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        return float(log_loss(y, shares / shares.sum(1, keepdims=True), labels=np.arange(len(self.bias))))


def probe(z: Array, y: Classes, classes: int) -> Probe:
    """scikit-learn's logistic regression as the protocol has it (L-BFGS, C = 1, with intercept), on samples [n, width]
    of at least two of the `classes`.
    """
    solver = LogisticRegression(max_iter=_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        solver.fit(z, y)
    weight, bias = solver.coef_, solver.intercept_
    if len(solver.classes_) == 2:  # it has one row then, for the second class against the first
        weight, bias = (np.concatenate([-one / 2, one / 2]) for one in (weight, bias))
    all_weight, all_bias = np.zeros((classes, z.shape[1])), np.full(classes, bias.min() - _NEVER)
    all_weight[solver.classes_], all_bias[solver.classes_] = weight, bias
    return Probe(all_weight.astype(np.float32), all_bias.astype(np.float32))


def neighbours(z: Array, y: Classes, asked: Array) -> Classes:
    """Classes of `asked` [m, width] by their five nearest of the samples z [n, width], the nearer the weightier."""
    nearest = min(_NEIGHBOURS, len(z))
    finder = KNeighborsClassifier(nearest, weights="distance", metric="cosine")
    return finder.fit(z, y).predict(asked)
