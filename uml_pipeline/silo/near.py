"""Near-duplicates: samples whose perceptual hashes differ in a few bits, or are equal where the hash is of words."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from uml_pipeline.silo.config import Modality

_RADIUS = 4  # bits of 64 that may differ
_CROWD = 256  # hashes with the same bits in one place: more of them say little, and take long


def groups(hashes: "pd.Series[str]", modality: Modality) -> "pd.Series[float]":
    """For each sample the number of its group of near-duplicates; NaN where there is no hash. A sample without likes
    has a group of its own.
    """
    known = hashes.dropna()
    names, places = np.unique(known.to_numpy(dtype=str), return_inverse=True)
    numbers = np.arange(len(names)) if modality == "text" else _joined(names)
    return pd.Series(numbers[places].astype(float), index=known.index).reindex(hashes.index)


def _joined(names: np.ndarray) -> np.ndarray:
    """Number of the connected component of each hash."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    values = np.array([int(name, 16) for name in names], np.uint64)
    pairs = [np.zeros((2, 0), int)]
    for one, other in _candidates(values):  # most are far apart: keeping all would take the most memory of the stage
        near = np.bitwise_count(values[one] ^ values[other]) <= _RADIUS
        pairs.append(np.stack([one[near], other[near]]))
    one, other = np.concatenate(pairs, 1)
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(len(names), len(names)))
    return connected_components(graph, directed=False)[1]


def _candidates(values: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs that are equal in one of five stretches of bits: all that differ in at most four bits are among them."""
    edges = [0, 13, 26, 39, 52, 64]
    for low, high in pairwise(edges):
        stretch = (values >> np.uint64(low)) & np.uint64(2 ** (high - low) - 1)
        order = np.argsort(stretch, kind="stable")
        stretch = stretch[order]
        for step in range(1, min(_CROWD, len(values))):
            same = stretch[step:] == stretch[:-step]
            if not same.any():
                break
            yield order[:-step][same], order[step:][same]
