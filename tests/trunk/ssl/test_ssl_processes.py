"""The whole stage in real processes: killed at random moments, and as two that share every batch."""

import random
import subprocess
import sys
import time

import pandas as pd
import pytest

from uml_pipeline.pipeline import Step, call
from uml_pipeline.workspace import Workspace

NETWORK = {"width": 16, "layers": 1, "heads": 2, "hidden": 32, "longest": 12}
SCRIPT = """
import sys
import torch
from uml_pipeline.study import Study
from uml_pipeline.trunk.stage import run
torch.set_num_threads(1)
print("begun", flush=True)
run(Study(sys.argv[1]))
print("done", flush=True)
"""


def artifact(study):
    folder = Workspace(study.folder).reading("trunk")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def curves_of(study):
    curves = pd.read_parquet(Workspace(study.folder).reading("trunk") / "curves.parquet")
    return curves[["step", "score", "target", "silo echoes", "loss", "cosine target|silo echoes"]]


@pytest.mark.slow
def test_killed_until_done(waves):
    """Wherever it is killed, what comes out in the end is what comes out of one go, byte for byte."""
    options = {"steps": 60, "save_every": 2, "look_every": 20, "alphas": [0.3, 1.0]}
    whole, study = waves(**options), waves(**options)
    call(whole, Step("trunk"))
    dice, kills = random.Random(), 0
    while True:
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, study.folder], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "begun\n"
        if kills < 6:
            time.sleep(dice.uniform(0.5, 4))
            process.kill()
        kills += 1
        if process.communicate()[0] == "done\n":
            break
        assert not Workspace(study.folder).folder("trunk").exists()
    assert artifact(study) == artifact(whole)
    assert not (study.folder / ".uml" / "ssl").exists()


@pytest.mark.slow
def test_two_processes_find_what_one_finds(waves):
    options = {"steps": 10, "look_every": 5, "accumulate": 2, "network": NETWORK | {"dropout": 0.0}}
    one, two = waves(**options), waves(**options, processes=2)
    for study in (one, two):
        call(study, Step("trunk"))
    pd.testing.assert_frame_equal(curves_of(one), curves_of(two), atol=1e-3)
    assert not (two.folder / ".uml" / "ssl").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray's own warnings are not ours to mend
def test_ray_train_finds_what_one_process_finds(waves):
    import ray

    options = {"steps": 4, "look_every": 2, "network": NETWORK | {"dropout": 0.0}}
    one, two = waves(**options), waves(**options, processes=2, launcher="ray")
    call(one, Step("trunk"))
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False)
    try:
        call(two, Step("trunk"))
    finally:
        ray.shutdown()
    pd.testing.assert_frame_equal(curves_of(one), curves_of(two), atol=1e-3)
