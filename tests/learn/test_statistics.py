import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from uml_pipeline.learn.statistics import Permutation, mantel, paired_gain


def hits(seed, episodes=12, classes=30, each=4, shift=0.0, spread=0.1):
    """Two models' hits: accuracies differ by `shift` on average, by class and episode at random."""
    draw = np.random.default_rng(seed)
    hard = draw.uniform(0.3, 0.6, classes)
    by_class, by_episode = draw.normal(0, spread, classes), draw.normal(0, spread / 3, episodes)
    better = np.clip(hard + shift + by_class + by_episode[:, None], 0, 1)
    counts = np.full((episodes, classes), each)
    return draw.binomial(counts, better), draw.binomial(counts, np.broadcast_to(hard, counts.shape)), counts


@given(seed=st.integers(0, 99), episodes=st.integers(1, 6), classes=st.integers(2, 8))
@settings(max_examples=25, deadline=None)
def test_identical_models_gain_nothing(seed, episodes, classes):
    ours, _, counts = hits(seed, episodes, classes)
    gain = paired_gain(ours, ours, counts)
    assert (gain.mean, gain.low, gain.high) == (0, 0, 0)


@given(seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_a_gain_is_what_was_counted_and_changes_sign_with_its_sides(seed):
    ours, theirs, counts = hits(seed, shift=0.1)
    gain, loss = paired_gain(ours, theirs, counts), paired_gain(theirs, ours, counts)
    assert gain.mean == pytest.approx(100 * (ours.sum() - theirs.sum()) / counts.sum())
    assert gain.low <= gain.mean <= gain.high
    assert (gain.low, gain.high) == pytest.approx((-loss.high, -loss.low))
    assert gain == paired_gain(ours, theirs, counts)


def test_a_known_shift_is_covered_and_seen():
    gain = paired_gain(*hits(0, shift=0.2))
    assert 0 < gain.low < 20 < gain.high


@pytest.mark.parametrize("shift", [0.0, 0.15])
def test_intervals_cover_the_truth_about_as_often_as_they_say(shift):
    gains = [paired_gain(*hits(seed, shift=shift)) for seed in range(100)]
    covered = np.mean([gain.low <= 100 * shift <= gain.high for gain in gains])
    assert 0.88 <= covered <= 1
    width = np.mean([gain.high - gain.low for gain in gains])
    # two-way bootstraps err on the wide side: exact intervals would have 3.9 standard deviations, these have about 5
    assert width < 6 * np.std([gain.mean for gain in gains])


def geometry(seed, classes=12, d=6):
    means = np.random.default_rng(seed).normal(size=(classes, d))
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return means @ means.T


def test_mantels_p_is_uniform_for_unrelated_geometries():
    found = [mantel(geometry(seed), geometry(1000 + seed), 99, seed).p_value for seed in range(60)]
    assert kstest(found, "uniform").pvalue > 0.01
    assert np.mean(np.array(found) <= 0.05) <= 0.15


def test_mantels_p_is_uniform_for_one_geometry_under_permuted_labels():
    one = geometry(0)
    found = []
    for seed in range(60):
        order = np.random.default_rng(seed).permutation(len(one))
        found.append(mantel(one, one[np.ix_(order, order)], 99, seed).p_value)
    assert kstest(found, "uniform").pvalue > 0.01


@pytest.mark.parametrize("seed", range(5))
def test_a_shared_geometry_is_found(seed):
    noise = np.random.default_rng(seed).normal(0, 0.2, (12, 12))
    found = mantel(geometry(seed), geometry(seed) + noise + noise.T, 999)
    assert found.p_value <= 0.005
    assert found.statistic > 0.5


def test_mantel_is_a_correlation_that_no_shift_or_scale_changes():
    g, h = geometry(0), geometry(1)
    assert mantel(g, g, 9).statistic == pytest.approx(1)
    assert mantel(g, 3 * h + 7, 9).statistic == pytest.approx(mantel(g, h, 9).statistic)
    assert mantel(g, -h, 9).statistic == pytest.approx(-mantel(g, h, 9).statistic)
    assert mantel(h, g, 9).statistic == pytest.approx(mantel(g, h, 9).statistic)


@given(value=st.floats(-1, 1), classes=st.integers(3, 20))
@settings(max_examples=60, deadline=None)
def test_a_matrix_without_spread_agrees_with_nothing(value, classes):
    flat, other = np.full((classes, classes), value), geometry(0, classes)
    for pair in ((flat, other), (other, flat), (flat, flat)):
        found = mantel(*pair, 99)
        assert abs(found.statistic) < 1e-9
        assert found.p_value == 1


def test_the_p_value_counts_the_observed_value_too():
    null = np.array([0.1, 0.2, 0.3, 0.4])
    assert Permutation(0.5, null).p_value == 1 / 5
    assert Permutation(0.3, null).p_value == 3 / 5
    assert Permutation(0.0, null).p_value == 1
