"""The whole stage in real processes: killed at random moments, and as two under torchrun."""

import pandas as pd
import pytest
from killing import check_killed_until_done

from uml_pipeline.pipeline import Step, call
from uml_pipeline.workspace import Workspace


@pytest.mark.slow
def test_killed_until_done(tuned):
    """Wherever it is killed, what comes out in the end is what comes out of one go, byte for byte."""
    options = {"arms": ["unimodal", "uml"], "steps": 30, "save_every": 2, "look_every": 10, "ema": 0.9}
    whole, study = tuned(**options), tuned(**options)
    check_killed_until_done(whole, study)


@pytest.mark.slow
def test_two_processes_find_what_one_finds(tuned):
    options = {"arms": ["unimodal", "uml"], "steps": 10, "look_every": 5, "accumulate": 2, "augment": "crop"}
    one, two = tuned(**options), tuned(**options, processes=2)
    for study in (one, two):
        call(study, Step("trunk"))
    curves = [pd.read_parquet(Workspace(study.folder).reading("trunk") / "curves.parquet") for study in (one, two)]
    numbers = [frame.select_dtypes("number").drop(columns="factor") for frame in curves]
    pd.testing.assert_frame_equal(*numbers, atol=1e-3)
    assert not (two.folder / ".uml" / "finetune").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray's own warnings are not ours to mend
def test_ray_train_finds_what_one_process_finds(tuned):
    import ray

    options = {"arms": ["unimodal"], "steps": 4, "look_every": 2}
    one, two = tuned(**options), tuned(**options, processes=2, launcher="ray")
    call(one, Step("trunk"))
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False)
    try:
        call(two, Step("trunk"))
    finally:
        ray.shutdown()
    curves = [pd.read_parquet(Workspace(study.folder).reading("trunk") / "curves.parquet") for study in (one, two)]
    pd.testing.assert_frame_equal(*(frame[["step", "score"]] for frame in curves), atol=1e-3)
