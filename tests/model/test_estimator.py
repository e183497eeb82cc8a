"""scikit-learn takes a shipped model for a classifier that is trained."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score, get_scorer
from sklearn.model_selection import cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.model.shipped import LABELS, pictures, shipped
from uml_pipeline.model import UnimodalModel


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return UnimodalModel.load(shipped(tmp_path_factory.mktemp("images") / "model", "image", "builtin/emoji"))


@pytest.fixture(scope="module")
def data(tmp_path_factory, model):
    """Pictures; half of them are labelled as the model has them, and every class has some."""
    paths = pictures(tmp_path_factory.mktemp("pictures"), 36)
    y = np.where(np.arange(36) % 2, model.predict(paths), np.array(LABELS * 12))
    return paths, y


def test_metrics_and_scorers(model, data):
    paths, y = data
    accuracy = accuracy_score(y, model.predict(paths))
    assert 0.5 <= accuracy < 1
    assert get_scorer("accuracy")(model, paths, y) == accuracy
    shares = model.predict_proba(paths)
    places = np.searchsorted(model.classes_, y)
    loss = -np.log(shares[np.arange(36), places]).mean()
    assert get_scorer("neg_log_loss")(model, paths, y) == pytest.approx(-loss, rel=1e-5)


def test_it_is_a_classifier_that_stays_as_it_is(model, data):
    paths, y = data
    assert is_classifier(model)
    assert clone(model) is model
    assert model.fit(paths, y) is model
    scores = cross_val_score(model, paths, y, cv=3, scoring="accuracy")
    assert scores.mean() == pytest.approx(accuracy_score(y, model.predict(paths)))
    assert np.array_equal(cross_val_predict(model, paths, y, cv=3), model.predict(paths))


def test_it_can_be_calibrated_and_stand_in_a_pipeline(model, data):
    paths, y = data
    calibrated = CalibratedClassifierCV(FrozenEstimator(model), method="sigmoid", cv=3).fit(paths, y)
    shares = calibrated.predict_proba(paths)
    assert shares.shape == (36, 3)
    assert np.allclose(shares.sum(1), 1)
    assert calibrated.classes_.tolist() == LABELS
    piped = make_pipeline(FunctionTransformer(lambda names: [str(name) for name in names]), model)
    assert np.array_equal(piped.fit(paths, y).predict(paths), model.predict(paths))
