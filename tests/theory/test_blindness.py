"""What the target cannot see, and what of it the auxiliary silo opens."""

import numpy as np
import pytest
from gaussian_toys import plain, silos
from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.theory import directions, efficient


def views(draw_seed, x_sees, y_sees):
    """Information of silos that see given numbers of the 5 dimensions, in turned axes."""
    turn = np.linalg.qr(np.random.default_rng(draw_seed).normal(size=(5, 5)))[0]
    found = []
    for one, sees in zip(silos(draw_seed, common=5, values=12), (x_sees, y_sees), strict=True):
        seen = (turn * [place in sees for place in range(5)]) @ turn.T
        found.append(efficient(type(one)(one.common @ seen, one.own, one.noise)))
    return found


@given(st.integers(0, 999), st.sets(st.integers(0, 4)), st.sets(st.integers(0, 4)))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_three_parts_and_their_conditions(seed, x_sees, y_sees):
    x, y = views(seed, x_sees, y_sees)
    parts = directions(x, y)
    sizes = (len(x_sees), len(y_sees - x_sees), 5 - len(x_sees | y_sees))
    assert tuple(part.shape[1] for part in (parts.seen, parts.opened, parts.blind)) == sizes
    basis = np.hstack([parts.seen, parts.opened, parts.blind])
    assert basis.T @ basis == pytest.approx(np.eye(5), abs=1e-9)
    for v in parts.seen.T:
        assert (x + y).variance(v) <= x.variance(v) * (1 + 1e-9) < np.inf
    for v in parts.opened.T:  # theorem 3: the construction
        assert v @ x.matrix @ v == pytest.approx(0, abs=1e-12)
        assert v @ y.matrix @ v > 1e-6
        assert (x + y).variance(v) < x.variance(v) == np.inf
    for v in parts.blind.T:
        assert (x + y).variance(v) == np.inf
    for part, view in ((parts.seen, x), (parts.opened, x + y)):
        found = [view.variance(v) for v in part.T]
        assert found == sorted(found)


def test_corollary_2_fails():
    """`v I_X v = 0 < v I_Y v` holds for (0, 1, 1), which is no combination of what is opened alone."""
    parts = directions(efficient(plain(1, 0, 0)), efficient(plain(0, 1, 0)))
    assert parts.opened == pytest.approx(np.array([[0], [1], [0]]))
    assert parts.blind == pytest.approx(np.array([[0], [0], [1]]))


def test_principal_directions_are_the_information_s():
    parts = directions(efficient(plain(1, 9, 4)), efficient(plain(1, 1, 1)))
    assert parts.seen == pytest.approx(np.eye(3)[:, [1, 2, 0]], abs=1e-9)
