"""Acceptance facts of the method: what the joint loss reaches, and what it does not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from uml_pipeline.learn.engine.loop import fit
from uml_pipeline.learn.engine.world import World
from uml_pipeline.learn.geometry import centre_of
from uml_pipeline.learn.geometry import standardise as standardise_
from uml_pipeline.trunk.cells import Setting
from uml_pipeline.trunk.finetune.arms import Arm, arms
from uml_pipeline.trunk.finetune.build import build
from uml_pipeline.trunk.finetune.compute import draw
from uml_pipeline.trunk.finetune.inputs import gather
from uml_pipeline.trunk.finetune.runs import Run
from uml_pipeline.trunk.finetune.task import Finetuning


def arm_of(study, name):
    inputs = gather(study)
    lineup = arms(study.params.trunk.finetune, [one.name for one in inputs.used], [one.name for one in inputs.forced])
    return inputs, next(one for one in lineup if one.name == name)


def task_of(study, name, alpha=1.0):
    inputs, arm = arm_of(study, name)
    config, episode = study.params.trunk.finetune, draw(study, inputs)[0]
    built = build(inputs, arm, config, 0, episode.train)
    return built, Finetuning(built, episode.train, episode.val, alpha, config, 0)


def gradients(model, loss):
    model.zero_grad()
    loss.backward(retain_graph=True)
    return {
        name: torch.zeros_like(one) if one.grad is None else one.grad.clone() for name, one in model.named_parameters()
    }


def test_each_loss_reaches_its_own_path_and_the_head(tuned):
    """Facts 2 and 3."""
    built, task = task_of(tuned(), "uml", alpha=0.5)
    losses = task.losses(built.model, task.draw(0, 0, World()), World())
    own, other = gradients(built.model, losses["target"]), gradients(built.model, losses["descriptions"])
    both = gradients(built.model, losses["target"] + losses["descriptions"])
    for name in own:
        if name.startswith("encoder.") or name in ("projection.weight", "scales.of_target"):
            assert not other[name].any()
        if name == "scales.of_descriptions":
            assert not own[name].any()
    assert own["encoder.net.blocks.0.mlp.fc1.weight"].any()
    assert own["scales.of_target"].any()
    assert other["scales.of_descriptions"].any()
    assert torch.allclose(both["head.weight"], own["head.weight"] + other["head.weight"], atol=1e-6)


def test_the_joint_loss_is_twice_that_of_both_batches_together(tuned):
    """Fact 4: of equal batches, alpha 1."""
    built, task = task_of(tuned(batch=6, auxiliary_batch=6), "uml")
    drawn = task.draw(0, 0, World())
    losses = task.losses(built.model, drawn, World())
    logits = built.model({name: batch.prepared for name, batch in drawn.items()})
    y = torch.cat([batch.y for batch in drawn.values()])
    together = cross_entropy(torch.cat([logits[name] for name in drawn]), y)
    assert float(sum(losses.values()).detach()) == pytest.approx(2 * float(together.detach()), rel=1e-5)


def test_without_weight_the_silos_change_nothing(tuned, tmp_path):
    """Fact 1, with and without UML(init): alpha 0 is the control, bit for bit, in weights and curves."""
    study = tuned(arms=["unimodal", "unimodal_init", "uml", "uml_init"], alphas=[0.0])
    for alone, joint in (("unimodal", "uml"), ("unimodal_init", "uml_init")):
        fits = []
        for name in (alone, joint):
            inputs, arm = arm_of(study, name)
            episode = draw(study, inputs)[0]
            run = Run(inputs, arm, arm.settings[0], episode.train, episode.val, 0, tmp_path / name)
            fits.append(run.train_on(World(), lambda steps, taken=0: None))
        one, other = fits
        assert all(torch.equal(value, other.weights[name]) for name, value in one.weights.items())
        seen = ("step", "score", "target", "accuracy", "factor")
        assert [[look.get(key) for key in seen] for look in one.history] == [
            [look.get(key) for key in seen] for look in other.history
        ]


def test_arms_with_one_projection_start_alike(tuned):
    study = tuned(arms=["unimodal", "unimodal_paper", "uml"])
    models = {
        name: build(*arm_of(study, name), study.params.trunk.finetune, 0, np.arange(6)).model
        for name in ("unimodal", "uml")
    }
    assert torch.equal(models["unimodal"].projection.weight, models["uml"].projection.weight)
    assert torch.equal(models["unimodal"].head.weight, models["uml"].head.weight)
    other = build(*arm_of(study, "uml"), study.params.trunk.finetune, 1, np.arange(6)).model
    assert not torch.equal(other.head.weight, models["uml"].head.weight)
    paper = build(*arm_of(study, "unimodal_paper"), study.params.trunk.finetune, 0, np.arange(6)).model
    assert isinstance(paper.projection, torch.nn.Identity)
    assert paper.head.weight.shape == (6, 64)


@pytest.mark.parametrize("standardise", [True, False])
def test_uml_init_starts_at_the_unit_means_of_embeddings(tuned, standardise):
    """Facts 5 and 6: raw embeddings in the paper's form; a class without texts keeps a unit row that is not zero."""
    study = tuned(standardise=standardise)
    inputs, arm = arm_of(study, "uml_init")
    [silo] = inputs.used
    head = build(inputs, arm, study.params.trunk.finetune, 0, np.arange(6)).model.head.weight
    for one in range(6):
        mean = seen(silo.x, standardise)[silo.y == one].mean(0)
        assert np.allclose(head[one].detach(), mean / np.linalg.norm(mean), atol=1e-6)
    keep = silo.y != 2
    inputs.used[0] = replace(silo, x=silo.x[keep], y=silo.y[keep])
    rows = build(inputs, arm, study.params.trunk.finetune, 0, np.arange(6)).model.head.weight.detach()
    assert torch.allclose(rows.norm(dim=1), torch.ones(6), atol=1e-6)
    means = torch.from_numpy(seen(silo.x[keep], standardise)[silo.y[keep] == 0].mean(0))
    assert torch.allclose(rows[0], means / means.norm(), atol=1e-6)


def test_each_silo_is_judged_over_its_own_classes(tuned):
    """The head's rows are the union of all classes; a class that a silo lacks is not pushed down by it."""
    study = tuned()
    inputs, arm = arm_of(study, "uml")
    [silo] = inputs.used
    keep = silo.y >= 2
    inputs.used[0] = replace(silo, x=silo.x[keep], y=silo.y[keep] + 1)
    inputs.union.append("new")
    built = build(inputs, arm, study.params.trunk.finetune, 0, np.arange(6))
    task = Finetuning(built, np.arange(6), np.arange(6), 1.0, study.params.trunk.finetune, 0)
    drawn = task.draw(0, 0, World())
    logits = built.model({name: batch.prepared for name, batch in drawn.items()})
    assert logits["target"].shape == (6, 6)
    assert logits["descriptions"].shape == (8, 4)
    slopes = gradients(built.model, task.losses(built.model, drawn, World())["descriptions"])["head.weight"]
    assert slopes.abs().sum(1).nonzero()[:, 0].tolist() == [3, 4, 5, 6]
    assert built.model.folded().shape == (6, 64)


@pytest.mark.parametrize("standardise", [True, False])
def test_folding_changes_no_logit(tuned, standardise):
    built, task = task_of(tuned(standardise=standardise), "uml")
    built.model.eval()
    with torch.no_grad():
        built.model.scales["of_target"].fill_(1.7)
        batch = task.draw(0, 0, World())["target"]
        wanted = built.model({"target": batch.prepared})["target"]
        vectors = built.model.standard(built.model.encoder(batch.prepared))
        assert torch.allclose(vectors @ built.model.folded().T, wanted, atol=1e-5)


def test_a_batch_too_small_for_its_parts_is_refused(tuned):
    _, task = task_of(tuned(accumulate=4), "unimodal")
    with pytest.raises(Exception, match="cannot be divided into 8 parts"):
        task.check(World(0, 2))


def test_a_resting_encoder_is_the_frozen_one(tuned):
    """Fact 12: features of the stage before are what the network sees, and training on them leaves the encoder be."""
    study = tuned()
    built, task = task_of(study, "uml")
    before = {name: value.clone() for name, value in built.model.encoder.state_dict().items()}
    task.resting = True
    fit(task, study.params.trunk.finetune, 0)
    assert all(torch.equal(value, before[name]) for name, value in built.model.encoder.state_dict().items())
    rows = np.arange(12)
    with torch.no_grad():
        frozen = built.model.eval()({"target": built.resting.take(rows, None).prepared}, resting=True)["target"]
        live = built.model({"target": built.target.take(rows, None).prepared})["target"]
    assert torch.allclose(frozen, live, atol=1e-4)


def seen(x, standardise):
    return standardise_(x, centre_of(x)) if standardise else x


def test_settings_are_as_many_for_every_arm(tuned):
    config = tuned(alphas=[0.1, 0.3, 1.0]).params.trunk.finetune
    lineup = arms(config, ["a"], ["b"])
    assert {len(one.settings) for one in lineup} == {3}
    alone = next(one for one in lineup if one.name == "unimodal")
    assert len({one.learning_rate for one in alone.settings}) == 3
    assert [one.name for one in arms(config, [], [])] == ["unimodal"]
    assert isinstance(lineup[0], Arm)
    assert Setting(1e-4).alpha == 0
