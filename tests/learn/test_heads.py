from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from uml_pipeline.learn.heads import (
    WARM_UP,
    Budget,
    Run,
    Samples,
    Task,
    _schedule,
    _Stack,
    gradient,
    log_loss,
    train,
    train_until,
)

CLASSES, D = 5, 7
BUDGET = Budget(steps=60, batch=8, auxiliary=6, every=5, patience=3)
PATIENT = replace(BUDGET, patience=100)


def samples(rows, seed, noise=0.8):
    draw = np.random.default_rng(seed)
    means = np.random.default_rng(99).normal(size=(CLASSES, D))
    y = np.arange(rows) % CLASSES
    x = means[y] + noise * draw.normal(size=(rows, D))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return Samples(torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y))


def task(seed=0, silos=1):
    return Task(seed, samples(20, seed), samples(15, 50 + seed), tuple(samples(30, 100 + one) for one in range(silos)))


def start(seed=0):
    return torch.randn(CLASSES, D, generator=torch.Generator().manual_seed(seed)) / D**0.5


RUNS = [
    Run(start(0), 3e-2, 10.0),
    Run(start(1), 1e-1, 5.0, alpha=1.0),
    Run(start(0), 1e-2, 20.0, alpha=0.3, weight_decay=0.01),
    Run(start(2), 3e-3, 10.0, alpha=0.3),
]


@given(seed=st.integers(0, 50), chosen=st.lists(st.sampled_from(range(4)), min_size=2, max_size=5))
@settings(max_examples=6, deadline=None)
def test_each_run_of_a_stack_is_what_it_is_alone(seed, chosen):
    runs = [RUNS[one] for one in chosen]
    for run, together in zip(runs, train(task(seed, 2), runs, PATIENT), strict=True):
        alone = train(task(seed, 2), [run], PATIENT)[0]
        assert np.allclose(together.curve, alone.curve, atol=1e-4)
        if together.best == alone.best:  # two looks may tie up to rounding
            assert torch.allclose(together.head, alone.head, atol=1e-4)
        assert together.loss == pytest.approx(alone.loss, abs=1e-4)


@pytest.mark.parametrize("silos", [1, 2])
@pytest.mark.parametrize("seed", [0, 1])
def test_without_weight_the_auxiliary_silos_change_no_bit(silos, seed):
    runs = [replace(run, alpha=0.0) for run in RUNS]
    with_silos, without = (train(task(seed, count), runs, BUDGET) for count in (silos, 0))
    for one, other in zip(with_silos, without, strict=True):
        assert torch.equal(one.head, other.head)
        assert (one.curve, one.best, one.scale) == (other.curve, other.best, other.scale)
    weighted = train(task(seed, silos), [replace(run, alpha=1.0) for run in runs], BUDGET)
    assert all(one.curve != other.curve for one, other in zip(weighted, without, strict=True))


def reference(head, scale, batch):
    head = head.clone().double().requires_grad_()
    cross_entropy(scale * batch.x.double() @ head.T, batch.y).backward()
    return head.grad


def test_gradient_is_that_of_autograd():
    heads, scale, batch = torch.stack([start(0), start(1)]), torch.tensor([10.0, 5.0]), samples(9, 3)
    for one in range(2):
        assert (gradient(heads, batch, scale)[one] - reference(heads[one], float(scale[one]), batch)).abs().max() < 1e-5


@pytest.mark.parametrize("silos", [1, 3])
def test_joint_gradient_is_own_plus_weighted_auxiliary(silos):
    own, others = samples(8, 1), [samples(6, 10 + one) for one in range(silos)]
    stack = _Stack(RUNS)
    before = stack.heads.clone()
    slopes = []
    stack.optimizer.step = lambda: slopes.extend(group["params"][0].grad for group in stack.optimizer.param_groups)
    stack.step(own, others, 1.0)
    for run, head, slope in zip(RUNS, before, slopes, strict=True):
        beside = sum(reference(head, run.scale, other) for other in others) / silos
        assert (slope - reference(head, run.scale, own) - run.alpha * beside).abs().max() < 1e-5


def test_equal_batches_of_equal_weight_are_one_batch_of_twice_the_loss():
    heads, scale = torch.stack([start(0)]), torch.tensor([10.0])
    own, other = samples(8, 1), samples(8, 2)
    both = Samples(torch.cat([own.x, other.x]), torch.cat([own.y, other.y]))
    joint = gradient(heads, own, scale) + gradient(heads, other, scale)
    assert torch.allclose(joint, 2 * gradient(heads, both, scale), atol=1e-5)


def test_a_run_that_stops_leaves_the_others_alone():
    stuck = Run(start(3), 0.0, 10.0)
    lively = list(RUNS)
    alone = train(task(), lively, BUDGET)
    first, *together = train(task(), [stuck, *lively], BUDGET)
    assert len(first.curve) == 1 + BUDGET.patience
    assert first.best == 0
    assert torch.equal(first.head, stuck.start)
    assert max(len(one.curve) for one in together) > 1 + BUDGET.patience  # it went on without the stuck one
    for one, other in zip(together, alone, strict=True):
        assert len(one.curve) == len(other.curve)
        assert np.allclose(one.curve, other.curve, atol=1e-4)
        assert torch.allclose(one.head, other.head, atol=1e-4)


def test_training_changes_neither_starts_nor_what_comes_next():
    before = [run.start.clone() for run in RUNS]
    first, second = train(task(), RUNS, BUDGET), train(task(), RUNS, BUDGET)
    assert all(torch.equal(run.start, old) for run, old in zip(RUNS, before, strict=True))
    assert all(torch.equal(one.head, other.head) for one, other in zip(first, second, strict=True))
    assert not torch.equal(train(replace(task(), seed=7), RUNS, BUDGET)[0].head, first[0].head)


@pytest.mark.parametrize("run", RUNS)
def test_training_until_a_look_gives_the_head_of_that_look(run):
    fit = train(task(), [run], BUDGET)[0]
    assert fit.best > 0
    assert torch.equal(train_until(task(), run, BUDGET, fit.best), fit.head)
    assert torch.equal(train_until(task(), run, BUDGET, 0), run.start)
    losses, _ = log_loss(fit.head[None], task().val, torch.tensor([run.scale]))
    assert losses[0] == pytest.approx(fit.loss, abs=1e-6)
    assert fit.best == int(np.argmin(fit.curve))


def test_training_until_needs_no_validation_samples():
    whole = task()
    none = replace(whole, val=Samples(whole.val.x[:0], whole.val.y[:0]))
    assert torch.equal(train_until(none, RUNS[1], BUDGET, 4), train_until(whole, RUNS[1], BUDGET, 4))


def test_log_loss_is_the_best_over_scales():
    heads, val, scales = torch.stack([start(0), 0.01 * start(1)]), samples(15, 4), torch.tensor([10.0, 4.0])
    losses, chosen = log_loss(heads, val, scales)
    for head, scale, loss, at in zip(heads, scales, losses, chosen, strict=True):
        tried = [float(cross_entropy(scale * factor * val.x @ head.T, val.y)) for factor in (0.5, 0.7, 1.0, 1.4, 2.0)]
        assert loss == pytest.approx(min(tried), abs=1e-5)
        assert float(cross_entropy(at * val.x @ head.T, val.y)) == pytest.approx(loss, abs=1e-5)


@given(steps=st.integers(WARM_UP + 1, 500))
@settings(max_examples=30, deadline=None)
def test_schedule_warms_up_and_falls_to_nearly_nothing(steps):
    trace = [_schedule(step, steps) for step in range(1, steps + 1)]
    up, down = trace[:WARM_UP], trace[WARM_UP - 1 :]
    assert up == sorted(up)
    assert down == sorted(down, reverse=True)
    assert up[-1] == 1
    assert 0 < trace[-1] <= 2.5 / (steps - WARM_UP + 1) ** 2 + (steps == WARM_UP + 1)
