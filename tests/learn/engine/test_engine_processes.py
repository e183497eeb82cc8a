"""Real processes: one that is killed in mid-epoch, and two that train together."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.learn.engine.toys import CONFIG, Points
from uml_pipeline.learn.engine import checkpoint
from uml_pipeline.learn.engine.loop import fit

ROOT = Path(__file__).parents[3]
TOY = ["-m", "tests.learn.engine.toy_process"]


def test_killed_in_mid_epoch(tmp_path):
    """Nine steps are three epochs of three; step 7 is in the midst of one, the last checkpoint is that of step 5."""
    process = subprocess.Popen(
        [sys.executable, *TOY, str(tmp_path), "0.05"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    for _ in range(7):
        assert process.stdout.readline() == "1\n"
    process.kill()
    process.communicate()
    assert process.returncode == -9
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
    again = subprocess.run([sys.executable, *TOY, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert again.stdout.split() == ["5", *"1111111"]
    found = checkpoint.load(tmp_path / "done")
    whole = Points()
    wanted = fit(whole, CONFIG.model_copy(update={"clip": 1.0}), 0)
    assert equal(found["last"], whole.model.state_dict())
    assert equal(found["weights"], wanted.weights)
    assert found["score"] == wanted.score


@pytest.mark.slow
def test_two_processes_are_one_within_rounding(tmp_path):
    """The same global batches, in two parts a step; gradients meet by gloo."""
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", *TOY, str(tmp_path)]
    subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=True)
    found = checkpoint.load(tmp_path / "done")
    whole = Points(dropout=0)
    wanted = fit(whole, CONFIG.model_copy(update={"clip": 1.0}), 0)
    for name, value in whole.model.state_dict().items():
        assert torch.allclose(found["last"][name], value, atol=1e-6)
    for look, other in zip(found["history"], wanted.history, strict=True):
        assert abs(look["score"] - other["score"]) < 1e-5
        assert abs(look.get("one", 0) - other.get("one", 0)) < 1e-5


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
