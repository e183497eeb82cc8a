"""Random silos of the linear-Gaussian model, and its formulas written out once more, plainly and at full size."""

import numpy as np
from hypothesis import strategies as st
from scipy.linalg import block_diag

from uml_pipeline.theory import Design, random_design


def silos(seed, common=3, own=2, values=8, noises=(1.0, 1.0), samples=(1, 1), strengths=None):
    """A target and an auxiliary silo of normal designs."""
    draw = np.random.default_rng(seed)
    strengths = strengths or (np.ones(common), np.ones(common))
    return tuple(
        random_design(draw, strength, values, own, noise, number)
        for strength, noise, number in zip(strengths, noises, samples, strict=True)
    )


def plain(*diagonal, noise=1.0, samples=1):
    """A silo with nothing of its own whose information is diagonal."""
    return Design(np.diag(np.sqrt(diagonal)), np.zeros((len(diagonal), 0)), noise, samples)


def stacked(target, auxiliary):
    """The design of [theta_c, theta_x, theta_y] over all values of all samples, and the noise of each value."""
    x, y = (np.tile(np.hstack([one.common, one.own]), (one.samples, 1)) for one in (target, auxiliary))
    common = target.common.shape[1]
    design = np.hstack([np.vstack([x[:, :common], y[:, :common]]), block_diag(x[:, common:], y[:, common:])])
    return design, np.repeat([target.noise, auxiliary.noise], [len(x), len(y)])


def schur(information, common):
    """The Schur complement of all but the first `common` parameters."""
    a, b, d = information[:common, :common], information[:common, common:], information[common:, common:]
    return a - b @ np.linalg.solve(d, b.T)


@st.composite
def any_silos(draw):
    """Silos of varied size, noise and number of samples in which both see everything."""
    noises = draw(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)))
    samples = draw(st.tuples(st.integers(1, 50), st.integers(1, 50)))
    common, own = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    return silos(draw(st.integers(0, 9999)), common, own, common + own + 3, noises, samples)
