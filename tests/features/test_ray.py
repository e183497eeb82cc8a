"""The engine on a local Ray cluster of two workers."""

import shutil

import pytest
import yaml

from uml_pipeline.errors import UserError
from uml_pipeline.features.stage import run
from uml_pipeline.silo.stage import run as run_silo
from uml_pipeline.study import Study

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # Ray's own warnings are not ours to mend


@pytest.fixture
def cluster():
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def set_features(study, **features):
    path = study.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(params | {"features": features}))
    return Study(study.folder)


def artifact(study, name):
    files = (study.folder / "artifacts" / "features" / name).iterdir()
    return {path.name: path.read_bytes() for path in sorted(files)}


def forget(study):
    shutil.rmtree(study.folder / ".uml")
    shutil.rmtree(study.folder / "artifacts" / "features")


def test_both_engines_give_equal_bytes(tiny_study, cluster):
    local = {}
    for name in ("drawings", "descriptions"):
        run_silo(tiny_study, name)
        run(tiny_study, name)
        local[name] = artifact(tiny_study, name)
    forget(tiny_study)
    study = set_features(tiny_study, engine="ray", workers=2)
    for name, expected in local.items():
        run(study, name)
        assert artifact(study, name) == expected


def test_a_worker_s_user_error_reaches_the_user(tiny_study, cluster):
    run_silo(tiny_study, "drawings")
    study = set_features(tiny_study, engine="ray", workers=2)
    victim = next((study.folder / "data" / "drawings").glob("*/*.png"))
    victim.write_bytes(b"no picture")
    with pytest.raises(UserError, match="has changed since its manifest"):
        run(study, "drawings")


def test_no_cluster_at_that_address(tiny_study):
    run_silo(tiny_study, "drawings")
    with pytest.raises(UserError, match="no Ray cluster there"):
        run(set_features(tiny_study, engine="ray", address="127.0.0.1:1"), "drawings")
