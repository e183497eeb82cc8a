"""Who is trained beside whom."""

import pytest
import torch

from uml_pipeline.learn.sequence.config import NetworkConfig
from uml_pipeline.trunk.ssl import stacks
from uml_pipeline.trunk.ssl.arms import arms
from uml_pipeline.trunk.ssl.cells import runs_of
from uml_pipeline.trunk.ssl.inputs import gather

CPU = torch.device("cpu")


@pytest.fixture
def runs(waves, tmp_path):
    def make(**ssl):
        study = waves(trunk={"forced": ["notes"]}, **ssl)
        inputs = gather(study)
        lineup = arms(study.params.trunk.ssl, inputs.used, inputs.forced)
        return [
            run for seed in range(3) for arm in lineup if arm.trained for run in runs_of(inputs, arm, seed, tmp_path)
        ]

    return make


def names(found):
    return [{one.arm.name for one in stack} for stack in found]


def test_seeds_and_arms_of_one_shape_and_rate_learn_at_once(runs):
    every = runs(alphas=[0.3, 1.0])
    found = stacks.stacks(every, CPU)
    assert names(found) == [{"unimodal"}, {"unimodal"}, {"uml", "uml_shuffled", "uml_noise"}, {"uml_notes"}]
    assert [len(stack) for stack in found] == [3, 3, 18, 6]
    assert {one.setting.alpha for one in found[2]} == {0.3, 1.0}
    assert sorted(one.folder for stack in found for one in stack) == sorted(one.folder for one in every)


def test_large_stacks_are_parted_evenly(runs, monkeypatch):
    every = runs()
    monkeypatch.setattr(stacks, "at_once", lambda *of: 4)
    assert [len(stack) for stack in stacks.stacks(every, CPU)] == [3, 3, 3, 3, 3]
    monkeypatch.setattr(stacks, "at_once", lambda *of: 1)
    assert {len(stack) for stack in stacks.stacks(every, CPU)} == {1}


def test_the_wider_and_longer_the_fewer_at_once(runs):
    run = runs(batch=32)[0]
    shapes = [NetworkConfig(width=width, hidden=4 * width) for width in (16, 64, 400, 4000)]
    counts = [stacks.at_once(shape, run.lesson(), CPU) for shape in shapes]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 8
    assert counts[-1] == 1
