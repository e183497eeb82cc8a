"""The map to what is said is scikit-learn's ridge, whichever side of the samples' matrix is the shorter."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from uml_pipeline.learn.geometry import unit
from uml_pipeline.learn.ridge import Told

CLASSES, T = 6, 4


def drawn(n, d, seed=0):
    draw = np.random.default_rng(seed)
    said = draw.normal(size=(CLASSES, T))
    said[-1] = 0  # nothing is said of the last class
    return draw.normal(size=(n, d)).astype(np.float32), np.arange(n) % CLASSES, said


@pytest.mark.parametrize("shape", [(12, 30), (60, 9)])
@pytest.mark.parametrize("strength", [0.1, 10.0])
def test_it_is_a_ridge_regression(shape, strength):
    x, y, said = drawn(*shape)
    known = y < CLASSES - 1
    fitted = Ridge(alpha=strength, fit_intercept=False).fit(x[known], unit(said)[y[known]]).coef_  # [t, d]
    means = np.stack([x[y == one].mean(0) for one in range(CLASSES)])
    own = np.vstack([unit(said)[:-1], unit(means @ fitted.T)[-1:]])
    expected = own @ fitted
    head = Told.of(x, y, said).head(strength, means)
    assert np.allclose(head, expected / np.linalg.norm(expected, axis=1).mean(), atol=1e-4)


def test_where_nothing_is_said_means_are_all_there_is():
    x, y, said = drawn(12, 30)
    means = np.stack([x[y == one].mean(0) for one in range(CLASSES)])
    for none in (np.zeros_like(said), np.zeros((CLASSES, 0))):
        head = Told.of(x, y, none).head(1.0, means)
        assert np.allclose(head, means / np.linalg.norm(means, axis=1).mean(), atol=1e-6)


def test_a_shared_map_is_found_from_one_sample_a_class():
    """Classes differ along few directions that the texts tell; larger private scatter hides them from class means."""
    draw = np.random.default_rng(3)
    classes, shared, d = 30, 4, 40
    truth = draw.normal(size=(classes, shared))
    common, private = draw.normal(size=(shared, d)), 2 * draw.normal(size=(8, d))

    def sample(y):
        return (truth[y] @ common + draw.normal(size=(len(y), 8)) @ private).astype(np.float32)

    few, many = np.arange(classes), np.repeat(np.arange(classes), 20)
    x, tested = sample(few), sample(many)
    right = {
        "map": ((tested @ Told.of(x, few, truth).head(1.0, x).T).argmax(1) == many).mean(),
        "means": ((unit(tested) @ unit(x).T).argmax(1) == many).mean(),
    }
    assert right["map"] > 2 * right["means"], right
