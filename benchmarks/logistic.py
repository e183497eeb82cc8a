"""How fast logistic regression is solved, against scikit-learn.

    python benchmarks/logistic.py [STUDY]      # the study's `features` must be there; default: this folder

Last figures, on the demo (331 classes, 384 features; 2 cores, shared, so that seconds vary; medians of 3):

    shots  solver                seconds  times ours  objective  validation %
    1      ours, 12 iterations      0.02         1.0     1.1553          52.9
    1      ours, 100 iterations     0.04         1.7     1.1552          52.9
    1      scikit-learn             0.12         5.2     1.1570          53.2
    4      ours, 12 iterations      0.07         1.0     0.7625          81.0
    4      ours, 100 iterations     0.19         2.8     0.7543          81.6
    4      scikit-learn             0.63         9.4     0.7594          81.6
"""

import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn.functional import cross_entropy

from uml_pipeline.learn import logistic
from uml_pipeline.learn.samples import Samples
from uml_pipeline.learn.splits import episodes
from uml_pipeline.study import Study
from uml_pipeline.trunk.probe import hits
from uml_pipeline.trunk.problem import Problem, Silo, build

SHOTS, REPEATS, STRENGTH, LONG = (1, 4), 3, 30.0, 100


def main(folder: str = ".") -> None:
    """Print the table."""
    study = Study(folder)
    target = Silo.read(study, study.target)
    beside = [Silo.read(study, study.auxiliary[0])] if study.auxiliary else []
    classes = sorted(target.manifest["label"].unique())
    problems = {}
    for shots in SHOTS:
        episode = episodes(target.manifest, shots, 1)[0]
        problems[shots] = build(target, beside, classes, episode.train, episode.val, 0)
    console = Console(width=100)
    console.print(f"{len(classes)} classes, {target.x.shape[1]} features, {os.cpu_count()} cores, C = {STRENGTH:g}")
    console.print(_solvers(problems))


def _solvers(problems: dict[int, Problem]) -> Table:
    table = Table("shots", "solver", "seconds", "spread", "times ours", "objective", "validation %", title="solvers")
    for shots, problem in problems.items():
        own, classes = problem.task.train, len(problem.means)
        ours = {f"ours, {steps} iterations": _iterating(steps, own, classes) for steps in (logistic.ITERATIONS, LONG)}
        base = 0.0
        for name, solve in (ours | {"scikit-learn": lambda own=own: _sklearn(own)}).items():
            head, seconds = _timed(solve)
            median = float(np.median(seconds))
            base = base or median
            correct, counts = hits(head, problem.task.val)
            table.add_row(
                str(shots),
                name,
                f"{median:.2f}",
                f"{max(seconds) - min(seconds):.2f}",
                f"{median / base:.1f}",
                f"{_objective(head, own):.4f}",
                f"{100 * correct.sum() / counts.sum():.1f}",
            )
    return table


def _iterating(steps: int, own: Samples, classes: int) -> Callable[[], Tensor]:
    def solve() -> Tensor:
        usual, logistic.ITERATIONS = logistic.ITERATIONS, steps
        try:
            return logistic.fit(own, classes, STRENGTH)
        finally:
            logistic.ITERATIONS = usual

    return solve


def _sklearn(own: Samples) -> Tensor:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, fit_intercept=False, max_iter=1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one sample a class looks like a regression to it
        model.fit(own.x.numpy(), own.y.numpy())
    return torch.from_numpy(model.coef_.astype(np.float32))


def _objective(head: Tensor, own: Samples) -> float:
    """What both minimise: mean cross-entropy and the ridge."""
    return float(cross_entropy(own.x @ head.T, own.y) + (head**2).sum() / (2 * STRENGTH * len(own)))


def _timed(work: Callable[[], Any]) -> tuple[Any, list[float]]:
    """The last result, and the seconds of each repeat; one more comes before them to warm up."""
    result, seconds = work(), []
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return result, seconds


if __name__ == "__main__":
    main(*sys.argv[1:2])
