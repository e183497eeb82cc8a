"""Do the head's rows point where a silo's class means do? Inner products against permuted classes (UML, app. F.3)."""

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uml_pipeline.features import read_config
from uml_pipeline.learn.geometry import Array, centre_of, class_means, standardise, unit
from uml_pipeline.learn.statistics import Permutation
from uml_pipeline.report.understanding.contenders import Contest
from uml_pipeline.report.understanding.reasons import CannotSay, told
from uml_pipeline.study import Study
from uml_pipeline.trunk.silos import Silo

FEWEST = 8  # classes: below, even a perfect diagonal hardly stands out from permutations
_PERMUTATIONS = 999
_FROM_TEXT = ("uml_init", "uml_init_alone")


@dataclass(frozen=True)
class Diagonal:
    """How far the matrix of inner products (head rows against class means) has its mass on the diagonal."""

    dominance: float
    """Mean of the diagonal minus mean of all entries, in standard deviations of the entries."""
    nearest: float
    """Rows whose largest inner product is with their own class, in percent."""
    p_value: float
    """Share of the permutations of classes with at least as much dominance."""
    null: tuple[float, float]
    """Between which 95 % of the permutations' dominances lie."""


def alignment(study: Study, contest: Contest) -> dict[str, Any]:
    """By auxiliary silo, whether it was used or not: one that was not is the control."""
    space = read_config(study, study.target)["space"] if contest.frozen else None  # a tuned encoder has left its own
    return {name: told(partial(_of_silo, study, contest, name, space)) for name in study.auxiliary}


def _of_silo(study: Study, contest: Contest, name: str, space: str | None) -> dict[str, Any]:
    silo = Silo.read(study, name)
    y = silo.index(contest.labels)
    known = np.unique(y[y >= 0])
    if len(known) < FEWEST:
        raise CannotSay(f"it shares {len(known)} classes with the target: a permutation test needs {FEWEST}")
    x = standardise(silo.x[y >= 0], centre_of(silo.x[y >= 0]))
    means = _centred(class_means(x, y[y >= 0], len(contest.labels))[known])
    rows = {part: _centred(one.model.weight[known]) for part, one in contest.both.items()}
    same = read_config(study, name)["space"] == space
    judge = diagonal if same else mapped_diagonal
    found: dict[str, Any] = {part: asdict(judge(one, means)) for part, one in rows.items()}
    about = {"classes": len(known), "projected": not same, "note": _note(contest, same=same)}
    return about | found | _start(contest, means, same=same)


def _start(contest: Contest, means: Array, *, same: bool) -> dict[str, Any]:
    """The diagonal before training, of a head that starts at the class means."""
    if contest.ours.method not in _FROM_TEXT or not same:
        return {}
    return {"start": asdict(diagonal(means, means))}


def _note(contest: Contest, *, same: bool) -> str:
    how = "" if same else " Class means pass a map that half of the classes have taught, and the other half is judged."
    if contest.ours.method in _FROM_TEXT:
        return "The head starts at the class means: its diagonal is there by construction, so see its change." + how
    return (
        "A head that was trained on the silo has the diagonal because training asked for it; the baseline has never "
        "seen the silo, so its diagonal says how far the two agree by themselves." + how
    )


def diagonal(rows: Array, means: Array, seed: int = 0) -> Diagonal:
    """Dominance of the diagonal of `rows @ means.T`, against `means` under permuted classes: [class, d] twice."""
    similarity = unit(rows).astype(np.float64) @ unit(means).astype(np.float64).T
    return _judged(similarity, seed)


def mapped_diagonal(rows: Array, means: Array, seed: int = 0) -> Diagonal:
    """The same where rows [class, d] and means [class, other d] lie in different spaces: a ridge map from means to rows
    is fitted on half of the classes, and the others are judged. On the classes that taught it any map has a diagonal.
    """
    from sklearn.linear_model import RidgeCV

    order = np.random.default_rng(seed).permutation(len(rows))
    taught, judged = order[: len(rows) // 2], order[len(rows) // 2 :]
    ridge = RidgeCV(alphas=np.logspace(-2, 3, 6), fit_intercept=False).fit(means[taught], rows[taught])
    return diagonal(rows[judged], ridge.predict(means[judged]).astype(np.float32), seed)


def _judged(similarity: NDArray[np.float64], seed: int) -> Diagonal:
    classes = len(similarity)
    every, draw = np.arange(classes), np.random.default_rng(seed)
    spread = max(float(similarity.std()), np.finfo(float).tiny)

    def dominance(order: NDArray[np.int64]) -> float:
        return float((similarity[every, order].mean() - similarity.mean()) / spread)

    null = np.array([dominance(draw.permutation(classes)) for _ in range(_PERMUTATIONS)])
    test = Permutation(dominance(every), null)
    low, high = np.quantile(null, [0.025, 0.975])
    nearest = 100 * float((similarity.argmax(1) == every).mean())
    return Diagonal(test.statistic, nearest, test.p_value, (float(low), float(high)))


def _centred(rows: Array) -> Array:
    """Without what all classes share: the same vector added to all rows of a head changes no prediction."""
    return rows - rows.mean(0)
