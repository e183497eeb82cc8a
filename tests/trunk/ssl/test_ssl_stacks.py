"""Who is trained beside whom."""

import pytest
import torch

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
    monkeypatch.setitem(stacks._AT_ONCE, "cpu", 4 * max(map(stacks._numbers, every)))
    sizes = [len(stack) for stack in stacks.stacks(every, CPU)]
    assert sizes == [3, 3, 3, 3, 3]
    monkeypatch.setitem(stacks._AT_ONCE, "cpu", 1)
    assert {len(stack) for stack in stacks.stacks(every, CPU)} == {1}
