from fractions import Fraction

import joint_toys as toys
import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from uml_pipeline.learn.joint import Auxiliary, Budget, Run, Task, train
from uml_pipeline.learn.joint.group import groups, parts, weights
from uml_pipeline.learn.joint.loop import gradients
from uml_pipeline.learn.joint.part import HEAD, SCALES
from uml_pipeline.learn.joint.stack import Stack
from uml_pipeline.learn.joint.task import TARGET

CPU = torch.device("cpu")
SILOS = [(toys.TEXTS,), (toys.BRIDGE,), (toys.TEXTS, toys.SOUNDS, toys.BRIDGE)]


def ready(task, runs, coordinates="raw"):
    (group,) = groups(task, runs, coordinates)
    slots = range(len(runs))
    return Stack(group.runs, weights(group, slots)), parts(group, slots, CPU), group


def rows_of(parts):
    """The batches that the parts will draw next, put back."""
    drawn = [next(part.rows) for part in parts]
    for part, rows in zip(parts, drawn, strict=True):
        object.__setattr__(part, "rows", iter([rows]))
    return drawn


def losses(weights, parts, drawn, run):
    """Each part's cross-entropy by torch, in double precision."""
    for part, rows in zip(parts, drawn, strict=True):
        head, x = weights[HEAD][run, : len(part.y)], part.x[rows].double()
        z = x if part.projection is None else x @ weights[part.projection][run].T
        logits = weights[SCALES][run, part.scale] * z @ head.T
        logits = logits if part.absent is None else logits + part.absent[:, 0]
        yield float(part.weight[run]), cross_entropy(logits, part.y[:, rows].argmax(0))


@pytest.mark.parametrize("silos", SILOS)
@pytest.mark.parametrize("coordinates", ["raw", "reduced"])
def test_joint_gradient_is_that_of_autograd(silos, coordinates):
    runs = [toys.UML, toys.INIT] if toys.TEXTS in silos else [toys.UML]
    stack, modalities, _ = ready(toys.task(auxiliary=silos), runs, coordinates)
    leaves = {name: value.double().requires_grad_() for name, value in stack.weights.items()}
    drawn = rows_of(modalities)
    gradients(stack, modalities, 0)
    sum(weight * loss for run in range(len(runs)) for weight, loss in losses(leaves, modalities, drawn, run)).backward()
    for name, value in leaves.items():
        assert (stack.grads[name] - value.grad).abs().max() < 1e-5, name


def test_head_gradient_is_the_targets_and_alpha_times_the_texts():
    parts_of = {}
    for which in ("both", "target", "texts"):
        stack, modalities, _ = ready(toys.task(), [toys.INIT])
        chosen = {"both": modalities, "target": modalities[:1], "texts": modalities[1:]}[which]
        gradients(stack, chosen, 0)
        parts_of[which] = stack.grads
    both, target, texts = parts_of.values()
    assert (both[HEAD] - target[HEAD] - texts[HEAD]).abs().max() < 1e-6
    assert texts[HEAD].abs().max() > 1e-3
    # the texts say nothing about the target's projection and scale, nor the target about theirs
    assert texts[TARGET].eq(0).all()
    assert texts[SCALES][:, 0].eq(0).all()
    assert target[SCALES][:, 1].eq(0).all()
    assert torch.equal(both[TARGET], target[TARGET])
    assert torch.equal(both[SCALES][:, 0], target[SCALES][:, 0])


def aligned(rows=24):
    """Target and texts in one space, with all classes each; no projection."""
    every = range(len(toys.NAMES))
    texts = Auxiliary("texts", toys.samples(rows, toys.D, every, 8))
    train, val = (toys.samples(24, toys.D, every, seed) for seed in (0, 1))
    return Task(0, toys.NAMES, train, val, (texts,))


def test_equal_batches_of_equal_weight_are_one_batch_of_twice_the_loss():
    """Acceptance fact 4: the form of Lin et al., 2023, but for the factor."""
    run = Run(batch=12, alpha=1.0, projection=False, scale=3.0)
    stack, modalities, _ = ready(aligned(), [run])
    leaf = stack.weights[HEAD].double().requires_grad_()
    drawn = rows_of(modalities)
    x = torch.cat([part.x[rows] for part, rows in zip(modalities, drawn, strict=True)]).double()
    y = torch.cat([part.y[:, rows].argmax(0) for part, rows in zip(modalities, drawn, strict=True)])
    (2 * cross_entropy(3 * x @ leaf[0].T, y)).backward()
    gradients(stack, modalities, 0)
    assert (stack.grads[HEAD] - leaf.grad).abs().max() < 1e-5


def test_uml_init_begins_as_the_zero_shot_classifier():
    """Acceptance fact 5, aligned: before any step it recognises what the texts' unit means do."""
    task = aligned()
    run = Run(rate=0.0, batch=12, alpha=1.0, projection=False, init="text")
    (fit,) = next(train([(task, [run])], Budget(steps=1)))
    (texts,) = task.auxiliary
    means = torch.stack([texts.samples.x[texts.samples.y == one].mean(0) for one in range(len(toys.NAMES))])
    assert torch.allclose(fit.head.norm(dim=1), torch.ones(len(means)), atol=1e-6)
    told = (task.val.x @ normalize(means, dim=1).T).argmax(1) == task.val.y
    assert fit.score == pytest.approx(float(told.double().mean()))


def test_a_bridge_moves_the_targets_projection():
    with_bridge, without = (ready(toys.task(auxiliary=(one,)), [toys.UML]) for one in (toys.BRIDGE, toys.TEXTS))
    for stack, modalities, _ in (with_bridge, without):
        gradients(stack, modalities[1:], 0)
    assert with_bridge[0].grads[TARGET].abs().max() > 1e-3
    assert without[0].grads[TARGET].eq(0).all()


def test_classes_a_modality_lacks_get_nothing_from_it():
    stack, modalities, group = ready(toys.task(auxiliary=(toys.SOUNDS,)), [toys.UML])
    gradients(stack, modalities[1:], 0)
    of_class = stack.grads[HEAD][0].abs().sum(1)
    lacking = [place for place, one in enumerate(group.order.tolist()) if one not in toys.SOME]
    assert of_class[lacking].eq(0).all()
    gradients(stack, modalities[:1], 0)
    assert stack.grads[HEAD][0, len(toys.OWN) :].eq(0).all()


@pytest.mark.parametrize(("ratio", "sizes"), [(Fraction(3), [15, 15, 15, 15]), (Fraction(1, 2), [5, 0, 5, 0])])
def test_ratio_counts_auxiliary_batches_a_step(ratio, sizes):
    stack, modalities, _ = ready(toys.task(), [Run(batch=5, alpha=1.0, ratio=ratio)])
    seen, source = [], modalities[1].rows

    def watched():
        for rows in source:
            seen[-1] = len(rows)
            yield rows

    object.__setattr__(modalities[1], "rows", watched())
    for step in range(4):
        seen.append(0)
        gradients(stack, modalities, step)
    assert seen == sizes


def test_other_ratios_are_refused():
    with pytest.raises(ValueError, match="2/3"):
        Run(ratio=Fraction(2, 3))
