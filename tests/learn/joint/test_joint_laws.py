from dataclasses import replace

import joint_toys as toys
import numpy as np
import pytest
import torch
from joint_toys import BRIDGE, BUDGET, CONTROL, INIT, SOUNDS, TEXTS, UML, UNIMODAL, task
from torch.nn.functional import cross_entropy, normalize

from uml_pipeline.learn.calibration import calibrated
from uml_pipeline.learn.engine.schedule import factor
from uml_pipeline.learn.joint import Auxiliary, Budget, Run, Start, Task, loop, retrain, span, start, train
from uml_pipeline.learn.joint.group import groups
from uml_pipeline.learn.joint.streams import batch_rows
from uml_pipeline.learn.joint.task import select
from uml_pipeline.learn.samples import Samples

RUNS = [
    UNIMODAL,
    replace(UML, batch=3),
    CONTROL,
    INIT,
    replace(INIT, rate=1e-3, shots=2),
    replace(UML, decay=0.0, rate=3e-2),
    replace(UML, learn_scales=False, rate=3e-2),
    replace(CONTROL, batch=3, rate=3e-3),
]


def fit(one, runs, budget=BUDGET, coordinates="reduced"):
    return next(train([(one, runs)], budget, coordinates))


def close(one, other, tolerance=1e-4):
    assert np.allclose(one.curve, other.curve)
    assert one.best == other.best
    assert torch.allclose(one.head, other.head, atol=tolerance)
    assert (one.projection is None) == (other.projection is None)
    if one.projection is not None:
        assert torch.allclose(one.projection, other.projection, atol=tolerance)


def same(one, other):
    assert (one.curve, one.best) == (other.curve, other.best)
    assert torch.equal(one.head, other.head)
    assert torch.equal(one.projection, other.projection)
    assert torch.equal(one.scales[0], other.scales[0])


@pytest.mark.parametrize("coordinates", ["reduced", "raw"])
@pytest.mark.parametrize("silos", [(TEXTS,), (TEXTS, SOUNDS, BRIDGE)])
def test_each_run_of_a_stack_is_what_it_is_alone(silos, coordinates):
    budget = replace(BUDGET, patience=2)
    tasks = [task(seed, silos) for seed in (0, 1)]
    together = list(train([(one, RUNS) for one in tasks], budget, coordinates))
    assert len({len(one.curve) for fits in together for one in fits}) > 1  # some stopped early
    for one, fits in zip(tasks, together, strict=True):
        for run, of_stack in zip(RUNS, fits, strict=True):
            assert of_stack.run == run
            close(of_stack, *fit(one, [run], budget, coordinates))


@pytest.mark.parametrize("init", ["random", "text"])
@pytest.mark.parametrize("silos", [(TEXTS,), (TEXTS, BRIDGE, SOUNDS)])
def test_without_weight_the_auxiliary_silos_change_no_bit(silos, init):
    runs = [replace(one, alpha=0.0, init=init) for one in (UML, INIT, CONTROL)]
    # the control reads its start from the texts, and has no other silo
    few = (TEXTS,) if init == "text" else ()
    for one, other in zip(fit(task(auxiliary=silos), runs), fit(task(auxiliary=few), runs), strict=True):
        same(one, other)
    weighted = fit(task(auxiliary=silos), [replace(one, alpha=1.0) for one in runs])
    assert not any(torch.equal(one.head, other.head) for one, other in zip(weighted, fit(task(), runs), strict=True))


def plain(one, run, steps):
    """The textbook loop: autograd, torch's AdamW, the engine's starts, batches and schedule; raw coordinates."""
    own, texts = torch.tensor(toys.OWN), select(TEXTS, run.shots, one)
    p, w = start.projection(one, run, "", toys.D).requires_grad_(), start.head(one, run).requires_grad_()
    scales = torch.ones(2, requires_grad=run.learn_scales)
    learnt = [p, w, *([scales] if run.learn_scales else [])]
    optimizer = torch.optim.AdamW(learnt, lr=run.rate, weight_decay=run.decay)
    cpu = torch.device("cpu")
    batches = [
        batch_rows(len(of), run.batch, 1, one.seed, name, cpu) for of, name in ((one.train, ""), (texts, "texts"))
    ]
    for step in range(steps):
        rows, others = map(next, batches)
        logits = scales[0] * one.train.x[rows] @ p.T @ w.T
        loss = cross_entropy(logits[:, own], torch.searchsorted(own, one.train.y[rows]))
        loss = loss + run.alpha * cross_entropy(scales[1] * texts.x[others] @ w.T, texts.y[others])
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = run.rate * factor(step, BUDGET.steps, BUDGET.warm_up)
        optimizer.step()
    return p, w, scales


@pytest.mark.parametrize("run", [UML, INIT, replace(CONTROL, rate=3e-2), replace(UML, shots="average")])
def test_raw_coordinates_are_the_textbook_loop(run):
    one = task(3)
    result = fit(one, [run], coordinates="raw")[0]
    p, w, scales = plain(one, run, 1 + BUDGET.every * result.best)
    assert (result.projection - p).abs().max() < 1e-4
    assert (result.head - w).abs().max() < 1e-4
    assert (result.scales[0] - scales[0]).abs() < 1e-4


@pytest.mark.parametrize("rows", [5, 40])
def test_reduced_coordinates_keep_the_directions_that_hold_the_energy(rows):
    one = task(2, rows=rows)
    x = one.train.x.double()
    x = x * torch.linspace(1, 0.01, toys.D)  # some directions are faint
    seen = span.Span.of(x.float(), "reduced", 0)
    directions = torch.linalg.qr(seen.basis.double())[0]
    k = directions.shape[1]
    energies = torch.linalg.svdvals(x) ** 2
    assert energies[:k].sum() >= 0.97 * energies.sum() > energies[: k - 1].sum()
    assert ((x @ directions) ** 2).sum() == pytest.approx(float(energies[:k].sum()), rel=1e-5)
    layer = torch.randn(3, toys.D)
    kept = seen.full(seen.inside(layer))
    assert torch.allclose(kept, layer @ (directions @ directions.T).float(), atol=1e-5)
    assert torch.allclose(seen.coordinates(x.float()) @ seen.inside(layer).T, x.float() @ kept.T, atol=1e-4)


def test_a_projection_is_zero_where_no_sample_reaches():
    one = task(2, rows=5)
    result = fit(one, [UML])[0]
    reached = torch.linalg.qr(one.train.x.T)[0]  # [d, n]
    beyond = result.projection - result.projection @ reached @ reached.T
    assert beyond.abs().max() < 1e-5
    assert result.projection.abs().max() > 0.1


@pytest.mark.parametrize("coordinates", ["reduced", "raw"])
def test_the_fit_is_the_model_that_was_judged(coordinates):
    one = task(4, (TEXTS, BRIDGE, SOUNDS))
    for result in fit(one, RUNS, coordinates=coordinates):
        hits = result.logits(one.val.x).argmax(1) == one.val.y
        assert float(hits.double().mean()) == pytest.approx(result.score)
        assert result.score == max(result.curve)
        assert result.best == result.curve.index(result.score)
        assert result.head.shape == (len(toys.NAMES), toys.WIDTH if result.run.projection else toys.D)


@pytest.mark.parametrize("silos", [(TEXTS,), (TEXTS, BRIDGE, SOUNDS)])
def test_by_loss_the_best_look_has_the_lowest_at_its_best_scale(silos):
    one = task(4, silos)
    for result in fit(one, RUNS, replace(BUDGET, by="loss")):
        loss, scale = calibrated(result.logits(one.val.x)[:, one.target], torch.searchsorted(one.target, one.val.y))
        assert float(loss) == pytest.approx(result.score, abs=1e-5)
        assert float(scale) == result.factor
        assert result.best == int(np.argmin(result.curve))


@pytest.mark.parametrize("coordinates", ["reduced", "raw"])
@pytest.mark.parametrize("by", ["accuracy", "loss"])
def test_a_run_retrained_to_its_best_look_is_that_fit_and_needs_no_validation(by, coordinates):
    one, budget = task(3, (TEXTS, BRIDGE)), replace(BUDGET, by=by)
    blind = replace(one, val=Samples(one.val.x[:0], one.val.y[:0]))
    for run, result in zip(RUNS, fit(one, RUNS, budget, coordinates), strict=True):
        again = retrain(blind, run, budget, result.best, coordinates)
        assert torch.allclose(again.folded, result.folded, atol=1e-4)
        assert torch.allclose(again.scales, result.scales, atol=1e-5)


def test_runs_begin_where_the_task_says():
    rows, wide = torch.randn(len(toys.NAMES), toys.WIDTH), torch.randn(toys.WIDTH, toys.D)
    given = Start(rows, wide)
    one = replace(task(auxiliary=(TEXTS, BRIDGE)), starts={"given": given, "head": Start(rows)})
    own, head_alone, free = (replace(UML, init=init, rate=0.0) for init in ("given", "head", "random"))
    first, second, third = fit(one, [own, head_alone, free])
    assert torch.equal(first.head, rows)
    assert torch.allclose(first.projection, wide, atol=1e-5)
    assert torch.equal(second.head, rows)
    assert torch.allclose(second.projection, third.projection, atol=1e-6)
    assert not torch.allclose(second.projection, wide)


def permuted(one, order):
    """The same task with its classes in another order."""
    new = torch.empty(len(order), dtype=torch.int64)
    new[torch.tensor(order)] = torch.arange(len(order))

    def moved(samples):
        return Samples(samples.x, new[samples.y])

    silos = tuple(Auxiliary(silo.name, moved(silo.samples), silo.bridge) for silo in one.auxiliary)
    names = tuple(one.classes[place] for place in order)
    return Task(one.seed, names, moved(one.train), moved(one.val), silos, one.width)


def test_order_of_classes_and_silos_changes_nothing():
    one = task(1, (TEXTS, BRIDGE, SOUNDS))
    order = [3, 5, 0, 4, 1, 2]
    turned = replace(one, auxiliary=one.auxiliary[::-1])
    for run, base in zip(RUNS, fit(one, RUNS), strict=True):
        other = fit(permuted(one, order), [run])[0]
        assert np.allclose(other.curve, base.curve)
        assert torch.allclose(other.head, base.head[order], atol=1e-4)
        close(fit(turned, [run])[0], base)


def test_target_batches_do_not_hang_on_texts_and_each_epoch_sees_all():
    rows = batch_rows(7, 3, 1, 0, "", torch.device("cpu"))
    seen = torch.cat([next(rows) for _ in range(14)])  # six epochs
    assert [sorted(epoch.tolist()) for epoch in seen.view(6, 7)] == [list(range(7))] * 6
    few = batch_rows(2, 32, 1, 0, "", torch.device("cpu"))
    assert sorted(next(few).tolist()) == [0, 1]


def test_shots_of_the_silos():
    one, counts = task(), TEXTS.samples.y.bincount()
    assert select(TEXTS, "all", one) is TEXTS.samples
    average = select(TEXTS, "average", one)
    assert average.y.tolist() == list(range(len(toys.NAMES)))
    assert torch.allclose(average.x[2], TEXTS.samples.x[TEXTS.samples.y == 2].mean(0))
    for shots in (1, 3, 99):
        chosen = select(TEXTS, shots, one)
        assert len(chosen) == counts.clamp(max=shots).sum()
        assert torch.equal(chosen.x, select(TEXTS, shots, task()).x)
    assert not torch.equal(select(TEXTS, 3, one).x, select(TEXTS, 3, task(seed=1)).x)


def test_text_start_is_the_unit_mean_and_never_zero():
    silent = Auxiliary("texts", toys.samples(12, toys.WIDTH, (0, 1, 2, 4), 3))  # nothing about 3 and 5
    one = task(auxiliary=(silent,))
    head, usual = start.head(one, INIT), start.head(one, UML)
    for place in range(len(toys.NAMES)):
        told = silent.samples.x[silent.samples.y == place]
        assert torch.allclose(head[place], normalize(told.mean(0), dim=0) if len(told) else usual[place])
    assert head.norm(dim=1).min() > 0
    with pytest.raises(ValueError, match="width"):
        start.head(task(auxiliary=(SOUNDS,)), INIT)


def test_a_run_that_never_improves_stops_and_leaves_the_others_alone():
    budget = replace(BUDGET, patience=3)
    stuck, *others = fit(task(), [replace(UML, rate=0.0), UML, replace(UML, rate=3e-2)], budget)
    assert (stuck.best, len(stuck.curve)) == (0, 4)
    for one, other in zip(others, fit(task(), [UML, replace(UML, rate=3e-2)], budget), strict=True):
        close(one, other)


def test_learning_rate_rises_to_the_base_and_falls_to_nearly_nothing():
    budget = Budget()
    trace = [factor(step, budget.steps, budget.warm_up) for step in range(budget.steps)]
    up, down = trace[: budget.warm_up], trace[budget.warm_up :]
    assert up == sorted(up)
    assert up[-1] == 1
    assert down == sorted(down, reverse=True)
    assert down[-1] <= 1e-3


def test_without_projection_silos_must_share_the_targets_space():
    aligned = Auxiliary("captions", toys.samples(12, toys.D, range(6), 5))
    run = Run(1e-2, batch=5, alpha=1.0, projection=False, scale=10.0, init="text")
    assert fit(task(auxiliary=(aligned,)), [run])[0].projection is None
    with pytest.raises(ValueError, match="texts"):
        fit(task(), [replace(run, init="random")])


def test_memory_decides_how_many_runs_a_stack_has_and_nothing_else(monkeypatch):
    (group,) = groups(task(), [replace(UML, decay=one / 100) for one in range(7)], "reduced")
    sizes = [len(slots) for _, slots in loop._split(group, 3 * group.bytes())]
    assert sizes == [2, 2, 3]
    assert [len(slots) for _, slots in loop._split(group, 1)] == [1] * 7
    whole = fit(task(), RUNS)
    monkeypatch.setattr(loop, "CACHE", 1)
    for one, other in zip(fit(task(), RUNS), whole, strict=True):
        close(one, other)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_learns_the_same():
    one = task(1, (TEXTS, SOUNDS, BRIDGE))
    on_gpu = next(train([(one, RUNS)], BUDGET, device="cuda"))
    for mine, other in zip(on_gpu, fit(one, RUNS), strict=True):
        assert np.allclose(mine.curve, other.curve, atol=0.051)  # one of 20 validation samples
        assert torch.allclose(mine.head, other.head, atol=1e-2)
