import numpy as np
import pytest

from uml_pipeline.report.understanding.alignment import diagonal, mapped_diagonal

CLASSES, D, OTHER = 40, 24, 16


def worlds(seed, noise=1.0):
    """Rows and means of classes whose geometry is one, in two spaces."""
    draw = np.random.default_rng(seed)
    world = draw.normal(size=(CLASSES, 4))
    rows = world @ draw.normal(size=(4, D)) + noise * draw.normal(size=(CLASSES, D))
    means = world @ draw.normal(size=(4, OTHER)) + noise * draw.normal(size=(CLASSES, OTHER))
    return rows.astype(np.float32), means.astype(np.float32)


def test_equal_rows_have_a_whole_diagonal():
    rows, _ = worlds(0)
    found = diagonal(rows, rows)
    assert found.p_value == 0.001
    assert found.nearest == 100
    assert found.dominance > found.null[1] > 0 > found.null[0]


def test_a_map_finds_the_geometry_in_another_space_on_classes_that_it_has_not_seen():
    assert mapped_diagonal(*worlds(1)).p_value <= 0.01


@pytest.mark.parametrize("mapped", [False, True])
def test_the_null_is_calibrated(mapped):
    """Unrelated rows and means: p is uniform, also behind a map, which on its own classes would always find some."""
    draw = np.random.default_rng(5)
    values = []
    for seed in range(60):
        rows, means = worlds(seed)
        unrelated = means[draw.permutation(CLASSES)]
        values.append(
            (mapped_diagonal(rows, unrelated) if mapped else diagonal(rows, rows[draw.permutation(CLASSES)])).p_value
        )
    shares = np.array(values)
    assert (shares <= 0.05).mean() <= 0.13  # 3 of 60 expected, 8 at most: binomial 99 %
    assert 0.35 < shares.mean() < 0.65
