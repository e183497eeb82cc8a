"""How the classes lie to each other: silhouette, Davies-Bouldin index, effective rank (UML, app. F.3)."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uml_pipeline.learn.geometry import Array
from uml_pipeline.report.understanding.contenders import Contender, Contest
from uml_pipeline.report.understanding.paired import of_means, of_sets
from uml_pipeline.report.understanding.reasons import CannotSay, told

_FEWEST = 3  # classes, so that one can be left out
_SPACES: dict[str, Callable[[Contender], Array]] = {"input": lambda one: one.inputs, "logits": lambda one: one.logits}


def clusters(contest: Contest) -> dict[str, Any]:
    """Each measure in the head's input space and in logits, for both models and as their difference.

    A difference of None stands where both see the same, and for the rank, which has no interval. A linear arm's
    projection is folded into its head: so spaces compared have the same width for both, and with a frozen encoder the
    input space is the same, and only the logits can differ.
    """
    spaces = {"input": "the head's input", "logits": "the logits"}
    found: dict[str, Any] = {name: {"space": words} | _space(contest, name) for name, words in spaces.items()}
    if contest.frozen:
        found["input"]["note"] = "features of a frozen encoder: the same for both, whatever was learnt"
    return found


def _space(contest: Contest, space: str) -> dict[str, Any]:
    ours, baseline = (_SPACES[space](one) for one in (contest.ours, contest.baseline))
    return {
        "silhouette": told(lambda: _silhouette(ours, baseline, contest.y)),
        "davies_bouldin": told(lambda: _davies_bouldin(ours, baseline, contest.y)),
        "effective_rank": {"ours": _rank(ours), "baseline": _rank(baseline), "difference": None},
    }


def _silhouette(ours: Array, baseline: Array, y: NDArray[np.int64]) -> dict[str, Any]:
    """Times 100: from -100 (among another class) to 100 (far from all others); higher is better."""
    from sklearn.metrics import silhouette_samples

    kept = _grouped(y)
    one, other = (silhouette_samples(x[kept], y[kept]) for x in (ours, baseline))
    difference = None if np.array_equal(ours, baseline) else asdict(of_means(one, other, y[kept]))
    return {"ours": 100 * float(one.mean()), "baseline": 100 * float(other.mean()), "difference": difference}


def _davies_bouldin(ours: Array, baseline: Array, y: NDArray[np.int64]) -> dict[str, Any]:
    """Within-class spread over distance between classes, of the worst neighbour: lower is better."""
    from sklearn.metrics import davies_bouldin_score

    kept = _grouped(y)

    def gap(some: NDArray[np.bool_]) -> float:
        one, other = (davies_bouldin_score(x[kept][some], y[kept][some]) for x in (ours, baseline))
        return float(one - other)

    each = {"ours": ours, "baseline": baseline}
    found: dict[str, Any] = {part: float(davies_bouldin_score(x[kept], y[kept])) for part, x in each.items()}
    return found | {"difference": None if np.array_equal(ours, baseline) else asdict(of_sets(gap, y[kept]))}


def _rank(x: Array) -> float:
    """How many directions the samples use."""
    import torch

    from uml_pipeline.learn.sequence.monitors import effective_rank

    return effective_rank(torch.from_numpy(x))


def _grouped(y: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which samples are of a class with at least two: one sample has no spread."""
    kept = np.bincount(y)[y] > 1
    if len(np.unique(y[kept])) < _FEWEST:
        raise CannotSay(f"fewer than {_FEWEST} classes have two test samples: one by itself has no spread")
    return kept
