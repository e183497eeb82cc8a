"""What auxiliary samples are worth, and when they harm; Monte Carlo."""

from dataclasses import replace

import numpy as np
import pytest
from gaussian_toys import any_silos, plain, silos, stacked
from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.theory import best_weight, efficient, exchange_rate, harm_threshold, joint_variance, worth

laws = settings(max_examples=60, deadline=None, derandomize=True)
seeds = st.integers(0, 999)


def some_direction(pair, seed):
    return np.random.default_rng(seed).normal(size=pair[0].common.shape[1])


def gains(pair, v):
    """Variance along v by the target alone, by both with the best weight, by both with unit weights."""
    return (
        efficient(pair[0]).variance(v),
        joint_variance(*pair, v, best_weight(*pair)),
        joint_variance(*pair, v, 1.0),
    )


@pytest.mark.parametrize("weighted", [True, False])
def test_monte_carlo_confirms_the_covariance(weighted):
    """Estimates by plain least squares on all values of both silos scatter as predicted."""
    pair = silos(3, noises=(0.5, 1.5), samples=(3, 4))
    weight = best_weight(*pair) if weighted else 1.0
    design, noise = stacked(*pair)
    draw, runs = np.random.default_rng(0), 20_000
    truth = draw.normal(size=design.shape[1])
    data = design @ truth + noise * draw.normal(size=(runs, len(design)))  # [run, value]
    root = np.sqrt(np.where(noise == pair[0].noise, 1.0, weight))
    solved = np.linalg.lstsq(design * root[:, None], (data * root).T, rcond=None)[0][:3].T  # [run, common]
    rest = solved - truth[:3]
    for v in [*np.eye(3), np.array([1.0, -1, 0.5])]:
        expected, squares = joint_variance(*pair, v, weight), (rest @ v) ** 2
        assert abs(squares.mean() - expected) <= 3 * squares.std() / np.sqrt(runs)
        assert abs((rest @ v).mean()) <= 3 * np.sqrt(expected / runs)


@laws
@given(any_silos(), seeds)
def test_the_best_weight_reaches_the_bound_and_never_harms(pair, seed):
    v = some_direction(pair, seed)
    alone, best, unit = gains(pair, v)
    assert best == pytest.approx((efficient(pair[0]) + efficient(pair[1])).variance(v), rel=1e-8)
    assert best <= alone * (1 + 1e-9)
    assert best <= unit * (1 + 1e-9)
    assert joint_variance(*pair, v, 1e-14) == pytest.approx(alone, rel=1e-6)


@pytest.mark.parametrize(("times", "harms"), [(1, False), (3, True), (10, True)])
def test_unit_weights_harm_where_the_auxiliary_silo_is_noisy(times, harms):
    pair = silos(0, values=12, noises=(0.3, 0.3 * times), samples=(5, 5))
    alone, best, unit = (sum(one) for one in zip(*(gains(pair, v) for v in np.eye(3)), strict=True))
    assert (unit > alone) == harms
    assert best < alone


@laws
@given(any_silos(), seeds, st.floats(0.2, 5))
def test_unit_weights_harm_above_the_threshold_and_not_below(pair, seed, factor):
    v = some_direction(pair, seed)
    threshold = harm_threshold(*pair, v)
    assert threshold >= 2
    noisy = replace(pair[1], noise=pair[0].noise * np.sqrt(threshold * factor))
    alone, _, unit = gains((pair[0], noisy), v)
    if abs(factor - 1) > 1e-3:
        assert (unit > alone) == (factor > 1)
    assert harm_threshold(pair[0], noisy, v) == pytest.approx(threshold)  # depends on the designs alone


@laws
@given(any_silos(), seeds)
def test_of_few_auxiliary_samples_twice_the_noise_variance_is_too_much(pair, seed):
    target = replace(pair[0], samples=10**6)
    v = some_direction(pair, seed)
    assert harm_threshold(target, replace(pair[1], samples=1), v) == pytest.approx(2, rel=1e-2)


@laws
@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.1, 10))
def test_corollary_1_along_common_eigenvectors(a, b, sigma_x, sigma_y):
    target, auxiliary = plain(a, 1, noise=sigma_x), plain(b, 2, noise=sigma_y)
    v = np.array([1.0, 0])
    x, y = a / sigma_x**2, b / sigma_y**2
    alone, best, _ = gains((target, auxiliary), v)
    assert best / alone == pytest.approx(x / (x + y), rel=1e-9)
    assert exchange_rate(target, auxiliary, v) == pytest.approx(y / x, rel=1e-9)
    assert worth(target, auxiliary, v) == pytest.approx(y / x, rel=1e-9)
    assert harm_threshold(target, auxiliary, v) == pytest.approx(2 + b / a, rel=1e-9)


@laws
@given(any_silos(), seeds)
def test_the_rate_is_what_one_more_sample_of_each_takes_off(pair, seed):
    target, auxiliary = (replace(one, samples=one.samples * 10**5) for one in pair)
    v = some_direction(pair, seed)
    now = gains((target, auxiliary), v)[1]
    step = 10**3
    by_target = now - gains((replace(target, samples=target.samples + step), auxiliary), v)[1]
    by_auxiliary = now - gains((target, replace(auxiliary, samples=auxiliary.samples + step)), v)[1]
    assert by_auxiliary / by_target == pytest.approx(exchange_rate(target, auxiliary, v), rel=0.05)


@laws
@given(any_silos(), seeds)
def test_what_all_auxiliary_samples_are_worth_buys_their_variance(pair, seed):
    v = some_direction(pair, seed)
    more = worth(*pair, v)
    assert more >= 0
    bought = efficient(pair[0]).variance(v) * pair[0].samples / (pair[0].samples + more)
    assert bought == pytest.approx(gains(pair, v)[1], rel=1e-9)


def test_one_silo_twice_is_worth_itself():
    one = silos(5, samples=(7, 7))[0]
    for v in np.eye(3):
        assert exchange_rate(one, one, v) == pytest.approx(1)
        assert worth(one, one, v) == pytest.approx(7)


def test_blind_spots():
    target, auxiliary = plain(1, 0, 0), plain(0, 1, 0)
    for v, expected in zip(np.eye(3), [(0, 0), (np.inf, np.inf), (np.nan, np.nan)], strict=True):
        found = exchange_rate(target, auxiliary, v), worth(target, auxiliary, v)
        assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)
        assert harm_threshold(target, auxiliary, v) == np.inf
    assert gains((target, auxiliary), np.eye(3)[0]) == pytest.approx((1, 1, 1))
    assert gains((target, auxiliary), np.eye(3)[1]) == pytest.approx((np.inf, 1, 1))
    assert gains((target, auxiliary), np.array([0, 1, 1.0])) == (np.inf, np.inf, np.inf)
