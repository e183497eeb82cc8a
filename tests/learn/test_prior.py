from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from uml_pipeline.learn.prior import Classes, Strengths, _Evidence, posterior, strengths

C, D, RANK = 40, 64, 6


def world(seed: int, s: float = 1.0, tau: float = 0.2, noise: float = 2.0, shots: int = 1):
    """True class means, what is seen of them, and the silo's class means."""
    draw = np.random.default_rng(seed)
    t = draw.normal(size=(C, RANK)) / RANK**0.5
    truth = s**0.5 * t @ draw.normal(size=(RANK, D)) + tau**0.5 * draw.normal(size=(C, D))
    counts = np.full(C, shots)
    counts[: C // 2] = 50  # a bridge's
    return truth, truth + (noise / counts)[:, None] ** 0.5 * draw.normal(size=(C, D)), counts, t


def solve(seen: Classes) -> tuple[np.ndarray, Strengths]:
    found = strengths(seen)
    return posterior(seen, found), found


def error(found, truth):
    return float(((found - truth)[C // 2 :] ** 2).mean())


def test_strengths_are_found_and_the_posterior_is_nearer_the_truth():
    maps, deviations, gains = [], [], []
    for seed in range(8):
        truth, seen, counts, t = world(seed)
        found, trust = solve(Classes(seen, counts, 2.0, [t @ t.T]))
        alone, _ = solve(Classes(seen, counts, 2.0))
        maps.append(trust.maps[0])
        deviations.append(trust.deviation)
        gains.append(error(found, truth) / error(alone, truth))
    assert np.mean(maps) == pytest.approx(1.0, rel=0.2)
    assert np.mean(deviations) == pytest.approx(0.2, rel=0.2)
    assert max(gains) < 0.6


def test_a_silo_that_says_nothing_is_not_listened_to():
    truth, seen, counts, t = world(0)
    other = np.random.default_rng(9).permutation(t)
    found, trust = solve(Classes(seen, counts, 2.0, [other @ other.T]))
    alone, _ = solve(Classes(seen, counts, 2.0))
    assert trust.maps[0] < 0.3
    assert error(found, truth) < 1.15 * error(alone, truth)


def test_what_lies_in_the_targets_space_already_needs_no_other_classes():
    draw = np.random.default_rng(0)
    u = draw.normal(size=(C, D))
    truth = 0.7 * u + 0.3 * draw.normal(size=(C, D))
    seen = truth + draw.normal(size=(C, D))
    found, trust = solve(Classes(seen, np.ones(C), 1.0, offsets=[u]))
    assert trust.offsets[0] == pytest.approx(0.7, abs=0.05)
    assert error(found, truth) < 0.3 * error(seen, truth)
    _, against = solve(Classes(seen, np.ones(C), 1.0, offsets=[-u]))
    assert against.offsets[0] == 0


def test_a_class_without_a_sample_is_what_the_silo_says():
    truth, seen, counts, t = world(0, tau=0.01)
    counts[-3:] = 0
    seen[-3:] = np.nan
    found, _ = solve(Classes(np.nan_to_num(seen), counts, 2.0, [t @ t.T]))
    assert np.corrcoef(found[-3:].ravel(), truth[-3:].ravel())[0, 1] > 0.9


def test_a_factor_of_zero_leaves_a_silo_out_and_order_does_not_matter():
    _, seen, counts, t = world(0)
    other = np.random.default_rng(5).normal(size=(C, 3))
    one, two = t @ t.T, other @ other.T
    forth, trust = solve(Classes(seen, counts, 2.0, [one, two]))
    back, turned = solve(Classes(seen, counts, 2.0, [two, one]))
    assert np.allclose(forth, back, atol=1e-3)
    assert np.allclose(trust.maps, turned.maps[::-1], atol=1e-3)
    order = np.random.default_rng(6).permutation(C)
    moved, _ = solve(Classes(seen[order], counts[order], 2.0, [k[np.ix_(order, order)] for k in (one, two)]))
    assert np.allclose(moved, forth[order], atol=1e-3)
    classes = Classes(seen, counts, 2.0, [one, two])
    assert np.allclose(
        posterior(classes, trust.scaled(0)), posterior(replace(classes, kernels=[np.zeros_like(one)] * 2), trust)
    )


def test_the_gradient_is_that_of_the_loss():
    _, seen, counts, t = world(1)
    classes = Classes(seen, counts, 2.0, [t @ t.T], [np.roll(seen, 1, 0)])
    evidence = _Evidence(classes, np.arange(C))
    at = np.log([0.3, 0.7])
    slope = evidence._loss(at)[1]
    assert np.allclose(slope, approx_fprime(at, lambda logs: evidence._loss(logs)[0], 1e-6), rtol=1e-3, atol=1e-4)
