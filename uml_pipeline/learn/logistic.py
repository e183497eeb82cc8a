"""Multinomial logistic regression without intercept, of one modality or of several that share the head.

Alone it is the convex peer of the trained probe, with scikit-learn's objective (`LogisticRegression(C,
fit_intercept=False)`, a test holds them equal) and kind of solver, several times faster for hundreds of classes
(benchmarks/logistic.py). With auxiliary samples it is UML's own joint loss (UML, sec. 3.2) plus a ridge: with frozen
encoders and a shared linear head that loss is convex, so no start, step size or stopping time is left to choose.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import nll_loss

from uml_pipeline.learn.samples import Samples

ITERATIONS = 16  # of L-BFGS; further ones change the objective by less than 0.01 (benchmarks/logistic.py)


def fit(
    own: Samples,
    classes: int,
    strength: float,
    auxiliary: Sequence[Samples] = (),
    alpha: float = 0.0,
    around: Tensor | None = None,
) -> Tensor:
    """Minimise CE(own) + alpha * mean over silos of CE(silo) + |W - around|^2 / (2 strength n): [class, d].

    L-BFGS from `around` (absent: zero), what is known of the head beforehand; `n` is the number of own samples.
    """
    terms = [(own, 1.0), *((samples, alpha / len(auxiliary)) for samples in auxiliary)]
    ridge = 1 / (strength * len(own))
    before = torch.zeros(classes, own.x.shape[1]) if around is None else around
    head = before.clone()
    optimizer = torch.optim.LBFGS([head], max_iter=ITERATIONS, history_size=10, line_search_fn="strong_wolfe")

    def objective() -> Tensor:
        away = head - before
        value, head.grad = ridge / 2 * (away**2).sum(), ridge * away
        for samples, weight in terms:
            logs = torch.log_softmax(samples.x @ head.T, 1)  # [n, class]
            value += weight * nll_loss(logs, samples.y)
            p = logs.exp_()
            p[torch.arange(len(samples)), samples.y] -= 1
            head.grad += weight / len(samples) * (p.T @ samples.x)
        return value

    optimizer.step(objective)
    return head
