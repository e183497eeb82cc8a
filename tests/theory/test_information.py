"""Fisher information, what remains of it when the silos' own parameters are unknown, and ranks."""

import numpy as np
import pytest
from gaussian_toys import any_silos, plain, schur, silos, stacked
from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.theory import Design, efficient, fisher

laws = settings(max_examples=60, deadline=None, derandomize=True)


def of(design, noise):
    """Information in a stacked design, value by value."""
    return (design / noise[:, None] ** 2).T @ design


@laws
@given(any_silos())
def test_information_of_both_silos_is_the_sum(pair):
    target, auxiliary = pair
    common, own = target.common.shape[1], target.own.shape[1]
    total = np.zeros((common + 2 * own,) * 2)
    for one, place in ((target, common), (auxiliary, common + own)):
        at = np.r_[:common, place : place + own]
        total[np.ix_(at, at)] += fisher(one)
    expected = of(*stacked(target, auxiliary))
    assert np.abs(total - expected).max() <= 1e-10 * max(1, np.abs(expected).max())


@laws
@given(any_silos())
def test_schur_complements_add(pair):
    target, auxiliary = pair
    common = target.common.shape[1]
    whole = schur(of(*stacked(target, auxiliary)), common)
    x, y = efficient(target), efficient(auxiliary)
    size = np.abs(whole).max()
    assert np.abs((x + y).matrix - whole).max() <= 1e-10 * size
    assert np.abs(x.matrix + y.matrix - whole).max() <= 1e-10 * size
    for one, design in ((x, target), (y, auxiliary)):
        assert np.abs(one.matrix - schur(fisher(design), common)).max() <= 1e-10 * np.abs(fisher(design)).max()


@laws
@given(any_silos(), st.integers(0, 99))
def test_its_inverse_is_the_block_of_the_whole_covariance(pair, seed):
    common = pair[0].common.shape[1]
    block = np.linalg.inv(of(*stacked(*pair)))[:common, :common]
    v = np.random.default_rng(seed).normal(size=common)
    both = efficient(pair[0]) + efficient(pair[1])
    assert both.variance(v) == pytest.approx(v @ block @ v, rel=1e-8)
    assert both.matrix @ both.solve(v) == pytest.approx(v, abs=1e-8)


@laws
@given(any_silos(), st.integers(2, 9))
def test_repeated_designs_are_stacked_ones(pair, times):
    one = pair[0]
    many = Design(np.tile(one.common, (times, 1)), np.tile(one.own, (times, 1)), one.noise, one.samples)
    repeated = Design(one.common, one.own, one.noise, one.samples * times)
    assert efficient(many).matrix == pytest.approx(efficient(repeated).matrix, rel=1e-9, abs=1e-9)
    assert fisher(many) == pytest.approx(fisher(repeated))


def test_theorem_1_fails_where_the_own_part_absorbs_the_common_one():
    """B_y = B_c of full column rank: the common block of I_Y is positive definite, and Y says nothing about theta_c."""
    target, auxiliary = silos(0, own=3)
    absorbed = Design(auxiliary.common, auxiliary.common, 1.0, 1000)
    assert np.linalg.eigvalsh(fisher(absorbed)[:3, :3]).min() > 1
    nothing = efficient(absorbed)
    assert nothing.rank == 0
    assert np.all(nothing.matrix == 0)
    alone, both = efficient(target), efficient(target) + nothing
    for v in np.eye(3):
        assert both.variance(v) == pytest.approx(alone.variance(v), rel=1e-12)
        assert nothing.variance(v) == np.inf


def test_theorem_2_fails_outside_of_both_ranges():
    """V = (0, 1, 1): not in the range of M_X, and `v M_Y v > 0`; the variance stays infinite."""
    x, y, v = efficient(plain(1, 0, 0)), efficient(plain(0, 1, 0)), np.array([0.0, 1, 1])
    assert v @ x.matrix @ v == 0 < v @ y.matrix @ v
    assert not x.sees(v)
    assert x.variance(v) == (x + y).variance(v) == np.inf
    assert (x + y).variance(np.array([0.0, 1, 0])) == pytest.approx(1)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_a_loud_silo_does_not_blind_to_what_a_quiet_one_sees(scale):
    x, y = efficient(plain(1, 0, noise=1 / scale)), efficient(plain(0, 1))
    both = x + y
    assert both.rank == 2
    assert [both.variance(v) for v in np.eye(2)] == pytest.approx([scale**-2, 1])


def test_no_more_values_than_parameters_leave_blind_spots():
    draw = np.random.default_rng(0)
    few = efficient(Design(draw.normal(size=(4, 3)), draw.normal(size=(4, 2)), 1.0, 10**6))
    assert few.rank == 2
    assert [few.variance(v) for v in np.eye(3)] == [np.inf] * 3
    assert efficient(Design(np.ones((2, 1)), np.eye(2), 1.0)).rank == 0


@laws
@given(st.integers(0, 999), st.floats(1e-5, 1))
def test_a_direction_that_is_hardly_shown_is_not_blind(seed, strength):
    one = silos(seed, strengths=(np.array([1, 1, strength]), np.ones(3)))[0]
    plainly = silos(seed)[0]
    assert efficient(one).rank == 3
    expected = efficient(plainly).variance(np.array([0, 0, 1.0])) / strength**2
    assert efficient(one).variance(np.array([0, 0, 1.0])) == pytest.approx(expected, rel=1e-6)


def test_what_makes_no_design_is_refused():
    with pytest.raises(ValueError, match="rows"):
        Design(np.ones((2, 1)), np.ones((3, 1)), 1.0)
    with pytest.raises(ValueError, match="positive"):
        Design(np.ones((2, 1)), np.ones((2, 1)), 0.0)
