"""Two classes whose names are exchanged in a silo: found by the geometry of all the others."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uml_pipeline.learn.geometry import Array
from uml_pipeline.learn.statistics import u_centred
from uml_pipeline.relevance.geometry import Geometry

ALPHA = 0.01  # stricter than a verdict's: two classes are accused by name
_PERMUTATIONS = 199  # each costs a product of [class, class]
_MOST, _ABOVE = 3, 1.5  # pairs that may be named, and how far above all others they are raised
Matrix = NDArray[Any]  # of floats


@dataclass(frozen=True)
class Exchange:
    """Two classes that agree with the target's if their names are exchanged."""

    one: str
    other: str
    p_value: float
    """That the best of all pairs looks as exchanged as this one in a silo whose names are right."""


@dataclass(frozen=True)
class Exchanges:
    """The pairs that stand out, the surest first: three at most, and no class in two of them."""

    pairs: list[Exchange]

    @property
    def alarming(self) -> bool:
        """Whether any pair is exchanged."""
        return bool(self.pairs)

    def reasons(self) -> list[str]:
        """One sentence a pair."""
        return [
            f"{one.one!r} and {one.other!r} seem to be exchanged, here or in the target: each is arranged as the "
            f"other there (p = {one.p_value:.3f})"
            for one in self.pairs
        ]

    def evidence(self) -> dict[str, Any]:
        """What a verdict keeps."""
        return {"exchanged": [asdict(one) for one in self.pairs]}


def exchanges(geometry: Geometry, seed: int = 0) -> Exchanges:
    """By how much exchanging two names raises the agreement, over all pairs, against silos whose names are right.

    U and V are the roots of the Gram matrices of target and silo, U-centred: in a root, what few directions tell about
    all classes weighs less against what tells two of them apart (benchmarks/soundness.py). An exchange of a and b
    raises their inner product by 2 sum_j (U_aj - U_bj) (V_bj - V_aj). Over the distance of a and b in the target, with
    which noise in V grows, this is comparable between pairs. The null keeps the names right and permutes the classes of
    the residual of V regressed on U (Freedman and Lane, 1983; for matrices Dekker et al., 2007); a pair counts against
    the highest of all pairs. One class that means something else can raise a pair, too, so each of the two must agree
    better under the other's name. And where the silos see classes so differently that the residual has a structure of
    its own, many pairs are raised: those that are named must stand out from all others.
    """
    ours, theirs = (u_centred(_root(one)).astype(np.float32) for one in geometry.cosines)
    slope = max(float((ours * theirs).sum() / max((ours**2).sum(), np.finfo(float).tiny)), 0.0)
    rest, gaps = theirs - slope * ours, _gaps(ours)
    draw, highest = np.random.default_rng(seed), np.empty(_PERMUTATIONS)
    for place in range(_PERMUTATIONS):
        order = draw.permutation(len(ours))
        highest[place] = _raised(ours, slope * ours + rest.take(order, 0).take(order, 1), gaps).max()
    raised, fit = _raised(ours, theirs, gaps), _fit(ours, theirs)
    found = []
    for one, other in _outstanding(raised):
        p_value = (1 + (highest >= raised[one, other]).sum()) / (1 + _PERMUTATIONS)
        if p_value < ALPHA and fit[one, other]:
            found.append(Exchange(geometry.shared[one], geometry.shared[other], float(p_value)))
    return Exchanges(found)


def _root(similarity: Array) -> Matrix:
    """The root of the matrix around the classes' centre: [class, class]."""
    centred = similarity - similarity.mean(0) - similarity.mean(1)[:, None] + similarity.mean()
    sizes, turn = np.linalg.eigh(centred.astype(np.float64))
    return (turn * np.sqrt(np.maximum(sizes, 0))) @ turn.T


def _raised(ours: Matrix, theirs: Matrix, gaps: Matrix) -> Matrix:
    """What exchanging two classes adds to the agreement, over their distance: [class, class], the upper triangle."""
    inner = ours @ theirs
    own = np.diag(inner)
    raised = (inner + inner.T - own[:, None] - own + 2 * ours * theirs) / gaps
    raised[np.tril_indices(len(raised))] = -np.inf
    return raised


def _fit(ours: Matrix, theirs: Matrix) -> NDArray[np.bool_]:
    """Whether each of two classes agrees better under the other's name than under its own: [class, class]."""
    lengths = np.linalg.norm(ours, axis=1)[:, None] * np.linalg.norm(theirs, axis=1)
    like = ours @ theirs / np.maximum(lengths, np.finfo(np.float32).tiny)  # [class of target, class of silo]
    better = like > np.diag(like)[:, None]
    return better & better.T


def _gaps(ours: Matrix) -> Matrix:
    """Distance between two classes' similarities to all others: [class, class]."""
    inner = ours @ ours
    own = np.diag(inner)
    squared = own[:, None] + own - 2 * inner - 2 * ours**2
    return np.sqrt(np.maximum(squared, 1e-9 * max(float(own.max()), np.finfo(float).tiny)))


def _outstanding(raised: Matrix) -> list[tuple[int, int]]:
    """The few pairs, each class in one of them alone, that are raised far above all others; perhaps none."""
    left, pairs, heights = raised.copy(), list[tuple[int, int]](), list[float]()
    for _ in range(_MOST + 1):
        place = int(left.argmax())
        one, other = divmod(place, len(left))
        pairs.append((one, other))
        heights.append(float(left[one, other]))
        left[[one, other]] = left[:, [one, other]] = -np.inf
    alone = [few for few in range(1, _MOST + 1) if heights[few - 1] > _ABOVE * max(heights[few], 0.0)]
    return pairs[: max(alone, default=0)]
