"""What the target cannot see, and which of it the auxiliary silo makes visible."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import null_space

from uml_pipeline.theory.designs import Matrix
from uml_pipeline.theory.information import ANGLE, Information


@dataclass(frozen=True)
class Directions:
    """An orthonormal basis of theta_c's space in three parts, each sorted from the least variance to the largest."""

    seen: Matrix  # [common, a]: by the target alone
    opened: Matrix  # [common, b]: only with the auxiliary silo
    blind: Matrix  # [common, c]: with neither


def directions(target: Information, auxiliary: Information) -> Directions:
    """The principal directions of the target, and those of its blind spot that the auxiliary silo opens.

    `opened` spans range(S_X + S_Y) less range(S_X). Every v of it has `v S_X v = 0 < v S_Y v` (theorem 3's v). The
    converse, corollary 2, is false: `v S_Y v > 0` does not make a blind direction visible.
    """
    both = target + auxiliary
    beyond = both.basis - target.basis @ (target.basis.T @ both.basis)
    # as many as the rank grows by: an angle near the tolerance cannot make the three parts overlap, or leave a gap
    opened = np.linalg.svd(beyond)[0][:, : both.rank - target.rank]
    seen = _sorted(target, target.basis)
    return Directions(seen, _sorted(both, opened), _signed(null_space(both.basis.T, rcond=ANGLE)))


def _sorted(information: Information, subspace: Matrix) -> Matrix:
    """The subspace's principal axes by variance, the least first."""
    if not subspace.shape[1]:
        return subspace
    turn = np.linalg.svd(information.half(subspace), full_matrices=False)[2]
    return _signed(subspace @ turn[::-1].T)


def _signed(axes: Matrix) -> Matrix:
    """The largest entry of each column made positive: a direction has no sign."""
    if not axes.size:
        return axes
    largest = np.take_along_axis(axes, np.abs(axes).argmax(0)[None], 0)
    return axes * np.sign(largest)
