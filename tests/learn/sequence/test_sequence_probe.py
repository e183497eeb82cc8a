import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from tests.learn.sequence.sequence_toys import SHAPE
from uml_pipeline.learn.engine.config import EngineConfig
from uml_pipeline.learn.engine.loop import fit
from uml_pipeline.learn.sequence.network import SharedNetwork, modality, transformer
from uml_pipeline.learn.sequence.probe import neighbours, probe
from uml_pipeline.learn.sequence.reader import represent
from uml_pipeline.learn.sequence.task import Lesson, Prediction, Source


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y.astype(np.int64)


@pytest.mark.parametrize("classes", [10, 2])
def test_the_probe_is_that_of_the_protocol(digits, classes):
    x, y = digits
    x, y = x[y < classes], y[y < classes]
    theirs = LogisticRegression(max_iter=200).fit(x[:150], y[:150])
    ours = probe(x[:150], y[:150], classes)
    shares = np.exp(ours.logits(x))
    assert np.allclose(shares / shares.sum(1, keepdims=True), theirs.predict_proba(x), atol=1e-4)
    assert ours.loss(x, y) == pytest.approx(log_loss(y, theirs.predict_proba(x)), abs=1e-4)


def test_a_class_without_training_samples_is_never_recognised(digits):
    x, y = digits
    seen = (y != 3) & (np.arange(len(y)) < 200)
    found = probe(x[seen], y[seen], 10)
    assert found.weight.shape == (10, 64)
    predicted = found.logits(x).argmax(1)
    assert 3 not in predicted
    assert np.isfinite(found.loss(x, y))
    assert (predicted[y != 3] == y[y != 3]).mean() > 0.8


def test_neighbours_recognise(digits):
    x, y = digits
    assert (neighbours(x[:500], y[:500], x[500:]) == y[500:]).mean() > 0.9
    assert neighbours(x[:1], y[:1], x[1:4]).tolist() == [y[0]] * 3


def test_a_trained_representation_tells_what_its_mean_cannot():
    """Two kinds of sequences with equal means and spreads differ in their order alone."""
    draw = torch.Generator().manual_seed(0)
    y = np.arange(80) % 2
    slow = torch.tensor([1.0, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1])
    fast = torch.tensor([1.0, -1] * 6)
    sequences = [
        ((fast if one else slow) * (1 if torch.rand(1, generator=draw) < 0.5 else -1))[:, None]
        + 0.3 * torch.randn(12, 1, generator=draw)
        for one in y
    ]
    config = EngineConfig(steps=300, warm_up=10, learning_rate=1e-2, look_every=300, device="cpu")
    train, test = sequences[:40], sequences[40:]
    net = SharedNetwork({"x": modality("x", train, SHAPE, 0)}, transformer(SHAPE, 0))
    task = Prediction(net, [Lesson({"x": Source(train, 16)}, test, 0)], config)
    net.load_state_dict(fit(task, config, 0).weights)
    z = represent(net.reader("x"), sequences)
    found = probe(z[:40], y[:40], 2)
    assert (found.logits(z[40:]).argmax(1) == y[40:]).mean() > 0.9
    means = np.array([one.mean(0).numpy() for one in sequences])
    assert (probe(means[:40], y[:40], 2).logits(means[40:]).argmax(1) == y[40:]).mean() < 0.8
