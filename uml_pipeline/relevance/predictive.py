"""Would a silo help? A quick few-shot learner with it and without it, on training samples of the target alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uml_pipeline.learn.quick import Counts, Hint, Quick
from uml_pipeline.learn.statistics import Gain, paired_gain
from uml_pipeline.learn.workers import each

TRUSTS = (0.03, 0.1, 0.3)
"""Shares of what is unknown of a class that the silo may explain: each is tried."""
_TESTED = 4  # draws behind a permutation
_NOISES = 10
_EXCEEDED = 10  # permutations at least as good, after which no more are tried (Besag and Clifford, 1991)


@dataclass(frozen=True)
class Prediction:
    """What a silo is expected to give, in percentage points of accuracy."""

    gain: Gain  # at the strength that the other draws choose
    full: Gain  # at the highest strength: what trusting it blindly would give
    trust: float  # the strength that all draws choose
    p_value: float | None  # of gaining so much by chance: the share of permuted silos that do; None: not tested
    permuted: float | None  # mean gain of the permuted silos
    noise: float | None  # mean gain of silos that are noise
    shuffles: int  # permuted silos that were tried


def predict(quick: Quick, hint: Hint, beside: Sequence[Hint] = (), *, permutations: int, seed: int = 0) -> Prediction:
    """The gain by one silo, over target, bridges and the silos `beside` it, which keep the strength they have.

    The null hypothesis is that its classes are not the target's: then any permutation of them is as good. A permuted
    silo keeps its words and their arrangement, so that it regularises as much; only its meaning is gone.

    Args:
        quick: target and bridges.
        hint: the silo.
        beside: other silos.
        permutations: at most so many permuted silos are tried; 0: none.
        seed: of the permutations.
    """
    without = quick.right(beside)
    right = np.stack(list(each(lambda trust: quick.right([*beside, hint.trusted(trust)]), TRUSTS)))
    observed = _best(right[:, :_TESTED], without[:_TESTED])

    def chance(other: Hint) -> float:
        tried = [quick.right([*beside, other.trusted(trust)], most=_TESTED) for trust in TRUSTS]
        return _best(np.stack(tried), without[:_TESTED])

    draws = (np.random.default_rng([seed, number]) for number in range(permutations))
    null = _until(each(lambda draw: chance(hint.permuted(draw)), draws), observed)
    noises = range(_NOISES) if permutations else range(0)
    noise = list(each(lambda number: chance(hint.noise(np.random.default_rng([seed, number]))), noises))
    asked = float(quick.counts[:_TESTED].sum())
    return Prediction(
        gain_of(quick, _chosen_by_others(right, without), without),
        gain_of(quick, right[-1], without),
        TRUSTS[int(right.sum((1, 2)).argmax())],
        float((1 + (null >= observed).sum()) / (1 + len(null))) if len(null) else None,
        100 * float(null.mean()) / asked if len(null) else None,
        100 * float(np.mean(noise)) / asked if noise else None,
        len(null),
    )


def gain_of(quick: Quick, right: Counts, without: Counts) -> Gain:
    """The paired gain. No interval is narrower than what was never seen to differ among so few samples may hide: 3 / n
    (Hanley and Lippman-Hand, 1983).
    """
    gain, hidden = paired_gain(right, without, quick.counts), 300 / quick.samples
    return Gain(float(gain.mean), min(gain.low, gain.mean - hidden), max(gain.high, gain.mean + hidden))


def _best(right: Counts, without: Counts) -> float:
    """Samples gained at the best strength: choosing it is a part of what is permuted."""
    return float((right - without).sum((1, 2)).max())


def _until(values: Iterable[float], observed: float) -> NDArray[np.float64]:
    """The null's values, until it is clear that many are as high."""
    null, exceeded = [], 0
    for value in values:
        null.append(value)
        exceeded += value >= observed
        if exceeded == _EXCEEDED:
            break
    return np.array(null)


def _chosen_by_others(right: Counts, without: Counts) -> Counts:
    """Of each draw, what is recognised at the strength that is best on the other draws: [draw, class]."""
    gains = (right - without).sum(2)  # [trust, draw]
    others = gains.sum(1, keepdims=True) - gains if gains.shape[1] > 1 else gains
    return right[others.argmax(0), np.arange(right.shape[1])]
