import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from uml_pipeline.learn.statistics import debiased_cka, mantel, products, u_centred


def gram(seed, classes=12, d=6, shift=0.0):
    means = np.random.default_rng(seed).normal(size=(classes, d)) + shift
    return means @ means.T


def hsic_1(k, h):
    """Song et al. (2012), eq. 5, term by term."""
    n, one = len(k), np.ones(len(k))
    k, h = k - np.diag(np.diag(k)), h - np.diag(np.diag(h))
    middle = (one @ k @ one) * (one @ h @ one) / (n - 1) / (n - 2)
    return (np.trace(k @ h) + middle - 2 / (n - 2) * (one @ k @ h @ one)) / n / (n - 3)


@given(seed=st.integers(0, 99), classes=st.integers(4, 20))
@settings(max_examples=40, deadline=None)
def test_it_is_the_ratio_of_the_published_estimators(seed, classes):
    g, h = gram(seed, classes), gram(seed + 1000, classes)
    expected = hsic_1(g, h) / np.sqrt(hsic_1(g, g) * hsic_1(h, h))
    assert debiased_cka(g, h, 9).statistic == pytest.approx(expected)


@given(seed=st.integers(0, 99), shift=st.floats(-5, 5), scale=st.floats(0.1, 10))
@settings(max_examples=40, deadline=None)
def test_neither_origin_nor_scale_nor_diagonal_counts(seed, shift, scale):
    g, h = gram(seed), gram(seed + 1000)
    noisy = scale * gram(seed, shift=shift) + np.diag(np.arange(12.0))
    assert debiased_cka(noisy, h, 9).statistic == pytest.approx(debiased_cka(g, h, 9).statistic, abs=1e-6)


def test_it_is_one_for_equals_and_about_zero_for_strangers_in_many_dimensions():
    assert debiased_cka(gram(0), gram(0), 9).statistic == pytest.approx(1)
    found = [debiased_cka(gram(seed, d=400), gram(1000 + seed, d=400), 9).statistic for seed in range(40)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(40)


def test_its_p_is_uniform_under_permuted_labels():
    one, found = gram(0), []
    for seed in range(60):
        order = np.random.default_rng(seed).permutation(len(one))
        found.append(debiased_cka(one, one[np.ix_(order, order)], 99, seed).p_value)
    assert kstest(found, "uniform").pvalue > 0.01


@given(value=st.floats(-1, 1), classes=st.integers(4, 20))
@settings(max_examples=40, deadline=None)
def test_a_matrix_without_structure_agrees_with_nothing(value, classes):
    flat = np.full((classes, classes), value)
    found = debiased_cka(flat, gram(0, classes), 19)
    assert (found.statistic, found.p_value) == (0, 1)


def test_products_are_those_of_permuted_rows():
    a, h = u_centred(gram(0)), u_centred(gram(1))
    found = products(a, h, 3, seed=5)
    draw = np.random.default_rng(5)
    for row, order in zip(found, [np.arange(12), *(draw.permutation(12) for _ in range(3))], strict=True):
        assert row == pytest.approx((a * h[np.ix_(order, order)]).sum(1))


def test_mantel_is_numpys_correlation():
    g, h, upper = gram(0), gram(1), np.triu_indices(12, 1)
    assert mantel(g, h, 1).statistic == pytest.approx(np.corrcoef(g[upper], h[upper])[0, 1])
