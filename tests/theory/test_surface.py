"""The exchange rate from measured accuracies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.theory.surface import fit_surface

SHOTS, TEXTS = (axis.ravel() for axis in np.meshgrid([1, 2, 4, 8], [0, 1, 5, 10, 15, 30]))


def measured(seed, a=2.0, b=0.1, noise=0.3, together=0.0, draws=8):
    """Accuracies of a plane: errors by row, and such that a whole draw shares along its texts."""
    draw = np.random.default_rng(seed)
    shots, texts = np.tile(SHOTS, draws), np.tile(TEXTS, draws)
    which = np.repeat(np.arange(draws), len(SHOTS))
    slopes = b + together * draw.normal(size=draws)[which]
    return shots, texts, 40 + a * shots + slopes * texts + draw.normal(0, noise, len(shots)), which


@given(st.floats(0.01, 10), st.floats(0.01, 10), st.floats(0, 80))
@settings(max_examples=10, deadline=None, derandomize=True)
def test_a_plane_s_rate_is_recovered(a, b, c):
    found = fit_surface(SHOTS, TEXTS, a * SHOTS + b * TEXTS + c)
    assert found.rate == pytest.approx(a / b, rel=1e-6)
    assert (found.low, found.high) == pytest.approx((a / b, a / b), rel=1e-6)
    assert (found.a, found.b, found.c) == pytest.approx((a, b, c), abs=1e-6)
    assert found.explained == pytest.approx(1)
    assert found.span == 30
    assert found.extrapolates == (found.high > 30)


@pytest.mark.parametrize(("a", "beyond"), [(2.0, False), (6.0, True)])
def test_a_rate_beyond_the_grid_is_flagged(a, beyond):
    found = fit_surface(*measured(0, a))
    assert found.low < a / 0.1 < found.high
    assert found.extrapolates == beyond


def test_texts_that_add_nothing_have_no_rate():
    found = fit_surface(*measured(1, b=0.0))
    assert found.high == np.inf
    assert found.extrapolates
    assert fit_surface(SHOTS, TEXTS, 2.0 * SHOTS - TEXTS).rate == np.inf


def test_rows_of_a_draw_err_together():
    rows = measured(2, together=0.03)
    by_row, by_draw = fit_surface(*rows[:3]), fit_surface(*rows)
    assert by_draw.rate == by_row.rate
    assert by_draw.high - by_draw.low > 1.3 * (by_row.high - by_row.low)
    assert fit_surface(*rows) == by_draw


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    found = [fit_surface(*measured(seed, draws=1)[:3]) for seed in range(20)]
    assert sum(one.low <= 20 <= one.high for one in found) >= 16


def test_a_curved_surface_is_no_plane():
    assert fit_surface(SHOTS, TEXTS, 60 + 20 * np.log1p(SHOTS) + 8 * (TEXTS > 0)).explained < 0.97


def test_rows_on_a_line_are_refused():
    for texts in (0 * SHOTS, SHOTS * 3):
        with pytest.raises(ValueError, match="line"):
            fit_surface(SHOTS, texts, 1.0 * SHOTS)


def test_one_draw_has_no_interval():
    with pytest.raises(ValueError, match="one draw"):
        fit_surface(*measured(0, draws=1))
    with pytest.raises(ValueError, match="too few"):
        fit_surface(SHOTS[:6], TEXTS[:6], np.arange(6.0))
