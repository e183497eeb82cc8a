"""Few-shot episodes: who trains, who validates, who tests. Method: UML, sec. 1.5 (k train, min(k, 4) validation)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Rows = NDArray[np.int64]
MOST_VAL = 4  # validation samples a class, at most, if not told otherwise; never more than shots


@dataclass(frozen=True, eq=False)
class Episode:
    """Rows of the target's manifest for one draw. Episodes of one seed are nested: 1 shot is part of 2 shots."""

    seed: int
    shots: int
    train: Rows
    val: Rows
    test: Rows


def episodes(manifest: pd.DataFrame, shots: int, seeds: int, most_val: int = MOST_VAL) -> list[Episode]:
    """One episode a seed, with at most `shots` training samples a class, and at most `shots` or `most_val` to validate
    on.
    """
    return [_draw(manifest, shots, seed, most_val) for seed in range(seeds)]


def sides(manifest: pd.DataFrame, seed: int) -> tuple[Rows, Rows, Rows]:
    """Rows to train, validate and test on, with or without label, before anything is drawn.

    Where samples have groups (at least three), each seed holds out one whole group as test and one as validation,
    in turn through all pairs, so that no group stands on two sides. Otherwise test and validation come from the
    manifest's own split, and seeds differ in the draw alone.
    """
    groups = sorted(manifest["group"].dropna().unique())
    return (_by_group if len(groups) >= 3 else _by_split)(manifest, groups, seed)


def held_out(manifest: pd.DataFrame) -> Rows:
    """Rows of the manifest's test split: what the shipped model never sees before the report."""
    return np.flatnonzero(manifest["split"] == "test")


def is_clean(episode: Episode, manifest: pd.DataFrame) -> bool:
    """Whether training and validation keep off the manifest's test split, so that what ships may be chosen by it."""
    return not np.isin(np.concatenate([episode.train, episode.val]), held_out(manifest)).any()


def _by_group(manifest: pd.DataFrame, groups: list[str], seed: int) -> tuple[Rows, Rows, Rows]:
    test = groups[seed % len(groups)]
    others = [group for group in groups if group != test]
    val = others[(seed // len(groups) + seed % len(groups)) % len(others)]
    column = manifest["group"]
    train = ~column.isin([test, val]) & column.notna()
    return np.flatnonzero(train), np.flatnonzero(column == val), np.flatnonzero(column == test)


def _by_split(manifest: pd.DataFrame, groups: list[str], seed: int) -> tuple[Rows, Rows, Rows]:
    train, val, test = (np.flatnonzero(manifest["split"] == side) for side in ("train", "val", "test"))
    return train, val, test


def _draw(manifest: pd.DataFrame, shots: int, seed: int, most_val: int) -> Episode:
    train, val, test = sides(manifest, seed)
    labels = manifest["label"].to_numpy()
    draw = np.random.default_rng([seed, 0])
    chosen_train = first_of(train, labels, shots, draw)
    chosen_val = first_of(val, labels, min(shots, most_val), np.random.default_rng([seed, 1]))
    return Episode(seed, shots, chosen_train, chosen_val, test[pd.notna(labels[test])])


def first_of(pool: Rows, labels: NDArray[Any], count: int, draw: np.random.Generator) -> Rows:
    """The first `count` rows of each class in a random order of `pool`: larger counts contain smaller ones.

    `labels` are of all rows, numbers or names.
    """
    order = draw.permutation(pool)
    rank = pd.Series(labels[order]).groupby(labels[order]).cumcount().to_numpy()
    return np.sort(order[rank < count])


def batches(samples: int, size: int, draw: np.random.Generator) -> Iterator[Rows]:
    """Endless batches of `size` rows (all rows if fewer): each row once an epoch, reshuffled, epochs run on."""
    size, left = min(size, samples), np.empty(0, np.int64)
    while True:
        while len(left) < size:
            left = np.concatenate([left, draw.permutation(samples)])
        batch, left = left[:size], left[size:]
        yield batch
