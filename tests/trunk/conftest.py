"""Silos made of numbers: a target and texts whose class means share a geometry, or do not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from uml_pipeline.trunk.compare import Inputs, line_up
from uml_pipeline.trunk.lineup import arms
from uml_pipeline.trunk.silos import Silo

CLASSES = [f"c{one:02}" for one in range(24)]
RANK, D, GROUPS = 8, 32, 5


def world(seed: int = 0) -> np.ndarray:
    """Where each class lies: a geometry of low dimension. [class, d]."""
    draw = np.random.default_rng([seed, 7])
    return draw.normal(size=(len(CLASSES), RANK)) @ draw.normal(size=(RANK, D)) / RANK**0.5


def _silo(name: str, x: np.ndarray, labels: list[str], groups: list[str | None], space: str, modality: str) -> Silo:
    sides = {"g0": "test", "g1": "val"}
    splits = [sides.get(str(group), "train") for group in groups]
    table = pd.DataFrame({"label": labels, "group": groups, "split": splits}, dtype=object)
    return Silo(name, table, x.astype(np.float32), space, modality)


@pytest.fixture
def target() -> Silo:
    """Five groups, two noisy samples of every class each, far from the origin."""
    draw = np.random.default_rng(1)
    labels = [name for name in CLASSES for _ in range(2 * GROUPS)]
    groups = [f"g{one}" for _ in CLASSES for one in range(GROUPS) for _ in range(2)]
    x = np.repeat(world(), 2 * GROUPS, 0) + 1.2 * draw.normal(size=(len(labels), D)) + 3 * draw.normal(size=D)
    return _silo("target", x, labels, groups, "shared", "image")


@pytest.fixture
def text() -> Callable[..., Silo]:
    """`text(name, order=…)`: eight samples around each class mean, under the labels that `order` puts there."""

    def make(
        name: str = "text",
        order: list[int] | None = None,
        turn: np.ndarray | None = None,
        space: str = "shared",
        known: int = len(CLASSES),
        seed: int = 2,
    ) -> Silo:
        draw = np.random.default_rng(seed)
        order = order or list(range(len(CLASSES)))
        labels = [CLASSES[order[one]] for one in range(known) for _ in range(8)]
        x = np.repeat(world()[:known], 8, 0) + 0.5 * draw.normal(size=(8 * known, D)) - 2 * draw.normal(size=D)
        return _silo(name, x if turn is None else x @ turn, labels, [None] * len(labels), space, "text")

    return make


@pytest.fixture
def photos() -> Silo:
    """A bridge: samples like the target's, of six other classes."""
    draw = np.random.default_rng(4)
    labels = [f"p{one}" for one in range(6) for _ in range(8)]
    x = draw.normal(size=(6, RANK)) @ np.random.default_rng([0, 7]).normal(size=(RANK, D)) / RANK**0.5
    return _silo("photos", np.repeat(x, 8, 0) + draw.normal(size=(48, D)), labels, [None] * 48, "shared", "image")


@pytest.fixture
def shuffled() -> list[int]:
    """An order of the classes that has nothing to do with their geometry."""
    return [int(one) for one in np.random.default_rng(3).permutation(len(CLASSES))]


@pytest.fixture
def inputs(target: Silo) -> Callable[..., Inputs]:
    """`inputs(used, forced=…, only=names)`: what `gather` would read, with some of the arms."""

    def make(used: list[Silo], forced: list[Silo] | None = None, only: tuple[str, ...] = ()) -> Inputs:
        forced = forced or []
        found = line_up(target, used, CLASSES)
        lineup = arms(replace(found, forced=tuple(one.name for one in forced)))
        kept = [arm for arm in lineup if not only or arm.name in only]
        return Inputs(target, [*used, *forced], CLASSES, kept)

    return make
