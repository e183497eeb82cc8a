import json

import numpy as np
import pandas as pd
import pytest

from uml_pipeline.relevance.shift import shift

CLASSES, D, FAR = 12, 40, 6.0


def silo(seed, common=0.0, own=0.0, each=20, order=None):
    """Class means around a point far from the origin, moved all together or each by itself."""
    draw = np.random.default_rng(seed)
    means = FAR + np.random.default_rng(0).normal(size=(CLASSES, D))
    means = means + common * np.random.default_rng(5).normal(size=D) + own * draw.normal(size=(CLASSES, D))
    y = np.repeat(np.arange(CLASSES), each)
    names = np.array([f"c{one:02}" for one in (range(CLASSES) if order is None else order)], dtype=object)
    return pd.Series(names[y]), (means[y] + draw.normal(size=(len(y), D))).astype(np.float32)


@pytest.mark.parametrize("each", [2, 5, 20])
def test_without_a_shift_the_distance_is_about_zero_however_few_the_samples(each):
    found = [shift(silo(seed, each=each), silo(100 + seed, each=each)) for seed in range(20)]
    distances = [one.distance for one in found]
    assert abs(np.mean(distances)) < 3 * np.std(distances) / np.sqrt(20) + 0.005
    assert sum(bool(one.reasons()) for one in found) <= (0 if each > 2 else 10)


def test_a_shift_of_all_classes_is_told_from_one_of_each():
    together, apart = shift(silo(1), silo(2, common=1.0)), shift(silo(1), silo(2, own=1.0))
    for one in (together, apart):
        assert 0.2 < one.distance < 2
    assert together.common / together.distance > 0.9
    assert apart.common / apart.distance < 0.2
    assert "is common to all" in together.reasons()[0]


def test_a_class_that_means_another_one_is_named():
    order = np.arange(CLASSES)
    order[[3, 8]] = order[[8, 3]]
    found = shift(silo(1), silo(2, order=order))
    assert found.reasons()[-1].endswith("c03 (like c08), c08 (like c03)")
    assert {one.name for one in found.classes[:2]} == {"c03", "c08"}
    assert found.classes[0].distance == pytest.approx(1, abs=0.5)
    assert json.dumps(found.evidence(), allow_nan=False)


def test_too_little_to_tell():
    assert shift(silo(1), silo(2, each=1)) is None
