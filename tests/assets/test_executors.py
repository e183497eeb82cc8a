"""Where steps are computed: four executors by name, and DVC's record when every step has a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._config import validate_config

from assets import executors
from assets.definitions import build
from assets.plan import Plan
from tests.assets.test_materialize import dvc_status
from uml_pipeline.errors import UserError
from uml_pipeline.study import Study

ROOT = Path(__file__).parents[2]
NAMES = {"in_process": "in_process", "multiprocess": "multiprocess", "k8s": "k8s", "ray": "ray"}


def dagster(*words: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Dagster's command line, on the definitions of this repository."""
    command = [str(Path(sys.executable).with_name("dagster")), *words]
    env = os.environ | {"DAGSTER_HOME": str(home), "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("asked", "name"), NAMES.items())
def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch, asked: str, name: str) -> None:
    monkeypatch.setenv(executors.VARIABLE, asked)
    assert build(Study(ROOT)).resolve_job_def("everything").executor_def.name == name


def test_in_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(executors.VARIABLE, raising=False)
    assert executors.chosen() is dg.in_process_executor


def test_an_executor_that_nobody_knows_is_a_user_s_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(executors.VARIABLE, "kubernetes")
    with pytest.raises(UserError, match="no executor 'kubernetes'") as refused:
        executors.chosen()
    assert all(name in refused.value.fix for name in NAMES)


@pytest.mark.parametrize(("asked", "package"), [("k8s", "dagster_k8s"), ("ray", "dagster_ray")])
def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, asked: str, package: str) -> None:
    monkeypatch.setenv(executors.VARIABLE, asked)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=f"'{asked}' is not installed.*{package}") as refused:
        executors.chosen()
    assert "pip install" in refused.value.fix


def examples() -> list[dict]:
    """The YAML in docs/dagster.md."""
    text = (ROOT / "docs" / "dagster.md").read_text(encoding="utf-8")
    return [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]


@pytest.mark.parametrize(("asked", "place"), [("k8s", 1), ("ray", 2)])
def test_the_documented_sizes_are_a_run_s_configuration(
    monkeypatch: pytest.MonkeyPatch, asked: str, place: int
) -> None:
    monkeypatch.setenv(executors.VARIABLE, asked)
    job = build(Study(ROOT)).resolve_job_def("everything")
    assert dg.validate_run_config(job, examples()[place])
    with pytest.raises(dg.DagsterInvalidConfigError):
        dg.validate_run_config(job, {"execution": {"config": {"nonsense": 1}}})


def test_the_documented_launcher_is_one() -> None:
    from dagster_k8s import K8sRunLauncher

    values = examples()[0]["runLauncher"]["config"]["k8sRunLauncher"]
    config = {re.sub("[A-Z]", lambda big: f"_{big[0].lower()}", key): value for key, value in values.items()}
    shape = {key: field for key, field in K8sRunLauncher.config_type().items() if key in config}
    assert validate_config(dg.Shape(shape), config).success
    (deployment,) = examples()[0]["dagster-user-deployments"]["deployments"]
    assert (deployment["volumes"], deployment["volumeMounts"]) == (values["volumes"], values["volumeMounts"])


@pytest.mark.slow
@pytest.mark.parametrize("asked", NAMES)
def test_dagster_validates_each(tmp_path: Path, asked: str) -> None:
    done = dagster("definitions", "validate", home=tmp_path, UML_EXECUTOR=asked)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_dagster_says_what_is_wrong_with_an_unknown_one(tmp_path: Path) -> None:
    done = dagster("definitions", "validate", home=tmp_path, UML_EXECUTOR="celery")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "no executor 'celery'" in said
    assert "choose one of in_process, multiprocess, k8s, ray" in said


@pytest.mark.slow
def test_the_processes_of_one_run_share_the_record(tiny_study: Study, tmp_path: Path) -> None:
    """Three silos at once open a study that nobody opened before: one dvc.yaml, one dvc.lock, every step once."""
    params = tiny_study.folder / "params.yaml"
    params.write_text(params.read_text().replace("features: {}\n", "").replace("report: {}\n", ""))
    (tiny_study.folder / "dvc.yaml").unlink()
    home = tmp_path / "home"
    home.mkdir()
    words = ["job", "execute", "-m", "assets.definitions", "-j", "everything"]
    done = dagster(*words, home=home, UML_EXECUTOR="multiprocess", UML_STUDY=str(tiny_study.folder))
    assert done.returncode == 0, done.stderr[-2000:]
    with dg.DagsterInstance.from_config(str(home)) as instance:
        (run,) = instance.get_runs()
        kinds = dg.DagsterEventType.STEP_WORKER_STARTED, dg.DagsterEventType.ASSET_MATERIALIZATION
        started, made = ([one.asset_materialization or one.step_key for one in logs(instance, run, k)] for k in kinds)
    steps = Plan(Study(tiny_study.folder)).graph
    assert len(started) == len(steps) + 1  # and the champion: a process each
    states = {one.asset_key: one.metadata["state"].value for one in made if "state" in one.metadata}
    assert states == {key: "done" for step in steps for key in Plan(Study(tiny_study.folder)).keys(step)}
    assert dvc_status(tiny_study) == {}


def logs(instance: dg.DagsterInstance, run: dg.DagsterRun, kind: dg.DagsterEventType) -> list[dg.EventLogEntry]:
    return instance.all_logs(run.run_id, of_type=kind)
