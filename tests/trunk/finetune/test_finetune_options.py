"""Every key of `trunk.finetune` does what it says, on one run of UML."""

import numpy as np
import pytest
import torch

from tests.trunk.finetune.test_finetune_network import arm_of, task_of
from uml_pipeline.learn.engine.loop import fit
from uml_pipeline.learn.engine.world import World
from uml_pipeline.trunk.finetune.compute import draw
from uml_pipeline.trunk.finetune.runs import Run


def run_of(study, folder, name="uml"):
    inputs, arm = arm_of(study, name)
    episode = draw(study, inputs)[0]
    return Run(inputs, arm, arm.settings[0], episode.train, episode.val, 0, folder)


@pytest.mark.parametrize(
    "options",
    [
        {"precision": "bfloat16"},
        {"balance": "uncertainty"},
        {"checkpointing": True},
        {"accumulate": 3},
        {"learnable_scales": False},
        {"standardise": False},
        {"augment": "flip"},
        {"clip": 0.1},
        {"ema": 0.5},
        pytest.param({"compile": True}, marks=[pytest.mark.slow, pytest.mark.filterwarnings("default")]),
    ],
)
def test_each_key_trains(tuned, tmp_path, options):
    study = tuned(probe_steps=0, learning_rate=1e-3, **options)
    found = run_of(study, tmp_path / "one").train_on(World(), lambda steps, taken=0: None)
    assert [look["step"] for look in found.history] == [0, 3, 6]
    assert all(np.isfinite(look["score"]) for look in found.history)
    if options.keys() & {"checkpointing", "accumulate", "compile"}:  # these change nothing but time and memory
        plain = run_of(tuned(probe_steps=0, learning_rate=1e-3), tmp_path / "two").train_on(
            World(), lambda steps, taken=0: None
        )
        for look, other in zip(found.history, plain.history, strict=True):
            assert look["score"] == pytest.approx(other["score"], abs=1e-3)


def test_batch_normalisation_is_frozen_or_not(tuned, with_silo, tmp_path):
    """Fact 11: its statistics change in training, and never where they are frozen."""
    net = {"encoder": "timm/test_resnet?crop_pct=1&input_size=[3,32,32]", "checkpoint": "test_resnet.safetensors"}
    for mode in ("train", "frozen"):
        study = with_silo(tuned(probe_steps=0, learning_rate=1e-3, batch_norm=mode), "drawings", **net)
        run = run_of(study, tmp_path / mode, "unimodal")
        before = run.build().model.state_dict()
        found = run.train_on(World(), lambda steps, taken=0: None)
        moved = [name for name in before if "running" in name and not torch.equal(before[name], found.weights[name])]
        assert bool(moved) == (mode == "train")


def test_layers_learn_at_falling_rates(tuned):
    built, task = task_of(tuned(layer_decay=0.5), "uml")
    scale = {id(one): group["lr_scale"] for group in task.groups() for one in group["params"]}
    names = {name: scale[id(one)] for name, one in built.model.named_parameters()}
    blocks = [names[f"encoder.net.blocks.{one}.mlp.fc1.weight"] for one in range(6)]
    assert blocks == sorted(blocks)
    assert blocks[1] / blocks[0] == pytest.approx(2)
    assert names["encoder.net.patch_embed.proj.weight"] < blocks[0]
    assert names["head.weight"] == names["projection.weight"] == 1


def test_what_is_one_dimensional_is_not_decayed(tuned):
    _, task = task_of(tuned(), "uml")
    for group in task.groups():
        decayed = group["weight_decay"] > 0
        assert all(one.ndim > 1 or not decayed for one in group["params"])


def test_the_balance_by_uncertainty_learns_a_variance_for_each_modality(tuned):
    built, task = task_of(tuned(balance="uncertainty"), "uml")
    fit(task, tuned(balance="uncertainty").params.trunk.finetune, 0)
    values = [float(one.detach()) for one in built.model.log_variances.values()]
    assert len(values) == 2
    assert all(values)
