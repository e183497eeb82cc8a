import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.report.understanding.margins import functional_margins
from uml_pipeline.report.understanding.paired import of_means, of_sets


def test_three_classes_by_hand():
    """Rows (1, 0), (0, 1), (-1, 0); x = (3, 4) has logits 3, 4, -3 and length 5."""
    head = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    x = np.array([[3.0, 4.0]] * 3)
    found = functional_margins(x, head, np.array([0, 1, 2]))
    # class 0: rival 1, (3 - 4) / sqrt 2; class 1: rival 0, (4 - 3) / sqrt 2; class 2: rival 1, (-3 - 4) / sqrt 2
    assert found == pytest.approx(np.array([-1, 1, -7]) / 2**0.5 / 5)


@settings(deadline=None)
@given(seed=st.integers(0, 1000), factor=st.floats(0.1, 50))
def test_laws(seed, factor):
    """Negative if and only if misclassified; rows may share a vector, and heads and inputs a factor."""
    draw = np.random.default_rng(seed)
    x, head, y = draw.normal(size=(12, 5)), draw.normal(size=(4, 5)), draw.integers(0, 4, 12)
    found = functional_margins(x, head, y)
    assert ((found < 0) == ((x @ head.T).argmax(1) != y)).all()
    assert functional_margins(x, head + draw.normal(size=5), y) == pytest.approx(found, abs=1e-9)
    assert functional_margins(factor * x, head / factor, y) == pytest.approx(found, abs=1e-9)
    assert np.abs(found).max() <= 1 + 1e-9


def test_equal_rows_have_no_margin():
    assert functional_margins(np.ones((1, 2)), np.ones((2, 2)), np.array([0])) == [0.0]


def test_a_constant_difference_is_certain_and_of_noise_none_is():
    y = np.repeat(np.arange(30), 3)
    draw = np.random.default_rng(0)
    base = draw.normal(size=90)
    gain = of_means(base + 0.1, base, y)
    assert (gain.mean, gain.low, gain.high) == pytest.approx((10, 10, 10))
    nothing = of_means(draw.normal(size=90), base, y)
    assert nothing.low < 0 < nothing.high


def test_the_jackknife_of_a_mean_is_its_standard_error():
    """Delete-a-group: within a factor of what the samples' own spread says."""
    y = np.arange(200)
    values = np.random.default_rng(0).normal(1, 2, 200)
    gain = of_sets(lambda kept: float(values[kept].mean()), y)
    assert gain.mean == pytest.approx(values.mean())
    assert 0.5 < (gain.high - gain.low) / (2 * 1.96 * values.std() / 200**0.5) < 1.7
