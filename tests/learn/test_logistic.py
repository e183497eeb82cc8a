import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from uml_pipeline.learn import logistic
from uml_pipeline.learn.samples import Samples


def problem(rows, seed, classes=4, d=6):
    draw = np.random.default_rng(seed)
    means = np.random.default_rng(0).normal(size=(classes, d))
    y = np.arange(rows) % classes
    x = means[y] + draw.normal(size=(rows, d))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return Samples(torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y))


def objective(head, own, strength, auxiliary=(), alpha=0.0):
    value = cross_entropy(own.x.double() @ head.T, own.y) + (head**2).sum() / (2 * strength * len(own))
    for samples in auxiliary:
        value = value + alpha / len(auxiliary) * cross_entropy(samples.x.double() @ head.T, samples.y)
    return value


@pytest.fixture
def converged(monkeypatch):
    monkeypatch.setattr(logistic, "ITERATIONS", 300)


@pytest.mark.parametrize("strength", [0.3, 3.0, 30.0])
def test_equals_scikit_learn(converged, strength):
    from sklearn.linear_model import LogisticRegression

    own = problem(40, 1)
    peer = LogisticRegression(C=strength, fit_intercept=False, tol=1e-8, max_iter=5000)
    peer.fit(own.x.double().numpy(), own.y.numpy())
    head = logistic.fit(own, 4, strength).double()
    theirs = torch.from_numpy(peer.coef_)
    assert float(objective(head, own, strength)) == pytest.approx(float(objective(theirs, own, strength)), abs=1e-5)
    fresh = problem(50, 2).x.double()
    assert np.allclose(torch.softmax(fresh @ head.T, 1), peer.predict_proba(fresh.numpy()), atol=1e-2)


@pytest.mark.parametrize("silos", [0, 1, 2])
def test_the_joint_objectives_gradient_vanishes_at_the_solution(converged, silos):
    own, auxiliary = problem(24, 1), [problem(30, 10 + one) for one in range(silos)]
    head = logistic.fit(own, 4, 3.0, auxiliary, 0.3).double().requires_grad_()
    objective(head, own, 3.0, auxiliary, 0.3).backward()
    assert head.grad.abs().max() < 1e-4
    start = torch.zeros_like(head, requires_grad=True)
    objective(start, own, 3.0, auxiliary, 0.3).backward()
    assert start.grad.abs().max() > 1e-2  # so that the bound above says something


def test_the_iterations_of_the_pipeline_are_enough():
    own = problem(24, 1)
    start, end = torch.zeros(4, 6).double(), logistic.fit(own, 4, 30.0).double()
    logistic_optimum = min(objective(_longer(own), own, 30.0), objective(end, own, 30.0))
    reached = objective(end, own, 30.0) - logistic_optimum
    assert reached < 0.02 * (objective(start, own, 30.0) - logistic_optimum)


def _longer(own):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logistic, "ITERATIONS", 300)
        return logistic.fit(own, 4, 30.0).double()


def test_no_weight_is_no_auxiliary_silo():
    own, other = problem(24, 1), problem(30, 2)
    assert torch.equal(logistic.fit(own, 4, 3.0, [other], 0.0), logistic.fit(own, 4, 3.0))


def test_a_class_known_to_the_auxiliary_silo_alone_gets_a_head():
    own, other = problem(24, 1), problem(30, 2)
    blind = Samples(own.x[own.y != 3], own.y[own.y != 3])
    head = logistic.fit(blind, 4, 10.0, [other], 0.3)
    fresh = problem(80, 3)
    recall = (fresh.x @ head.T).argmax(1)[fresh.y == 3] == 3
    alone = (fresh.x @ logistic.fit(blind, 4, 10.0).T).argmax(1)[fresh.y == 3] == 3
    assert recall.double().mean() >= 0.4 > 0.2 > alone.double().mean()
