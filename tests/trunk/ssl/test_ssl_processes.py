"""The whole stage in real processes: killed at random moments, and as two that share every batch."""

import pandas as pd
import pytest
from killing import check_killed_until_done

from uml_pipeline.pipeline import Step, call
from uml_pipeline.workspace import Workspace

NETWORK = {"width": 16, "layers": 1, "heads": 2, "hidden": 32, "longest": 12}


def curves_of(study):
    curves = pd.read_parquet(Workspace(study.folder).reading("trunk") / "curves.parquet")
    return curves[["step", "score", "target", "silo echoes", "loss", "cosine target|silo echoes"]]


@pytest.mark.slow
def test_killed_until_done(waves):
    """Wherever it is killed, what comes out in the end is what comes out of one go, byte for byte."""
    options = {"steps": 60, "save_every": 2, "look_every": 20, "alphas": [0.3, 1.0]}
    whole, study = waves(**options), waves(**options)
    check_killed_until_done(whole, study)


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
