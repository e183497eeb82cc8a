"""A run in Dagster, and the record that DVC has of it afterwards."""

import contextlib
import json
from pathlib import Path

import dagster as dg
import pytest

from assets import relevance
from assets.definitions import build
from assets.plan import Plan
from assets.workbench import Workbench
from uml_pipeline import pipeline
from uml_pipeline.ledger import Ledger
from uml_pipeline.study import Study


def materialize_all(study: Study) -> dg.ExecuteInProcessResult:
    job = build(study).resolve_job_def("everything")
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(instance=instance, raise_on_error=False)


def states(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Of DVC's steps; the champion is none."""
    events = [event.materialization for event in result.get_asset_materialization_events()]
    ours = [event for event in events if "state" in event.metadata]
    return {event.asset_key.to_user_string(): str(event.metadata["state"].value) for event in ours}


def versions(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    events = [event.materialization for event in result.get_asset_materialization_events()]
    return {event.asset_key.to_user_string(): (event.tags or {})["dagster/data_version"] for event in events}


def told(result: dg.ExecuteInProcessResult, key: str) -> dict:
    events = [event.materialization for event in result.get_asset_materialization_events()]
    return next(dict(event.metadata) for event in events if event.asset_key.to_user_string() == key)


def times(study: Study) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (study.folder / "artifacts").rglob("*")}


def all_keys(study: Study) -> set[str]:
    plan = Plan(study)
    return {key.to_user_string() for step in plan.graph for key in plan.keys(step)}


def dvc_status(study: Study) -> dict:
    from dvc.repo import Repo

    with contextlib.chdir(study.folder), Repo() as repo:
        return repo.status()


def test_whatever_one_door_made_the_others_find_up_to_date(tiny_study: Study) -> None:
    """One test, to train once: the command line begins, Dagster goes on, and then no door finds anything to do."""
    begun = {"silo", "features", "relevance"}
    pipeline.run(tiny_study, only=begun)
    first = materialize_all(tiny_study)
    assert first.success
    assert states(first) == {key: "unchanged" if key.split("/")[0] in begun else "done" for key in all_keys(tiny_study)}
    assert dvc_status(tiny_study) == {}
    assert told(first, "report")["ships"].value in told(first, "model")["card"].value  # by its name, not its key
    assert told(first, "silo/descriptions")["set aside"].value == "none"
    assert told(first, "champion")["decision"].value == "promoted"

    before = times(tiny_study)
    second = materialize_all(tiny_study)
    assert states(second) == dict.fromkeys(all_keys(tiny_study), "unchanged")
    assert versions(second) == versions(first)
    assert versions(second)["model"] == Ledger(tiny_study.folder).version("model")
    assert told(second, "champion")["decision"].value == "unchanged"

    outcomes: list[pipeline.Outcome] = []
    pipeline.run(tiny_study, finished=lambda step, outcome: outcomes.append(outcome))
    assert set(outcomes) == {pipeline.Outcome.UNCHANGED}
    assert times(tiny_study) == before


def test_a_silo_that_is_not_sound_stops_what_needs_it(tiny_study: Study) -> None:
    target = tiny_study.target
    for path in sorted(tiny_study.data(target).rglob("*.png"))[::5]:
        path.write_bytes(b"corrupt")
    result = materialize_all(tiny_study)
    assert not result.success
    checks = {check.asset_key.to_user_string(): check for check in result.get_asset_check_evaluations()}
    refused = checks[f"silo/{target}"]
    assert not refused.passed
    assert refused.description and target in refused.description
    sound = tiny_study.auxiliary
    assert set(states(result)) == {f"{stage}/{name}" for stage in ("silo", "features") for name in sound}


def test_a_stage_of_the_study_s_own_is_run_by_dvc_wherever_dagster_was_started(tmp_path: Path) -> None:
    silo = "{modality: text, path: raw/texts.csv, encoder: builtin/minilm}"
    (tmp_path / "params.yaml").write_text(f"target: texts\nsilos:\n  texts: {silo}\n")
    (tmp_path / "dvc.yaml").write_text(
        "stages:\n  get-raw:\n    cmd: mkdir raw && echo text > raw/texts.csv\n    outs: [raw]\n"
    )
    (tmp_path / ".dvcignore").touch()
    study = Study(tmp_path)
    job = build(study).resolve_job_def("everything")
    key = dg.AssetKey(["data", "get_raw"])
    results = [job.execute_in_process(asset_selection=[key]) for _ in range(2)]
    assert [states(result) for result in results] == [{"data/get_raw": "done"}, {"data/get_raw": "unchanged"}]
    assert versions(results[0]) == versions(results[1])
    assert dg.AssetKey(["silo", "texts"]) in build(study).resolve_asset_graph().get(key).child_keys


VERDICTS = [
    ("exclude", "harms", "WARN", True),
    ("warn", "harms", "WARN", True),
    ("block", "harms", "ERROR", False),
    ("block", "neutral", "ERROR", False),
    ("block", "cannot tell", "WARN", True),
]


@pytest.mark.parametrize(("policy", "verdict", "severity", "goes_on"), VERDICTS)
def test_only_under_policy_block_a_silo_that_does_not_help_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, verdict: str, severity: str, goes_on: bool
) -> None:
    silos = "".join(f"  {name}: {{modality: text, path: {name}.csv, encoder: builtin/minilm}}\n" for name in ("a", "b"))
    (tmp_path / "params.yaml").write_text(f"target: a\nsilos:\n{silos}relevance: {{policy: {policy}}}\n")
    folder = tmp_path / "artifacts" / "relevance"
    folder.mkdir(parents=True)
    (folder / "fingerprint.json").write_text("{}")
    found = {"silo": "b", "verdict": verdict, "p_value": 0.5, "used": False, "reasons": ["flat"], "shared_classes": 9}
    found |= {"alone": {"gain": {"mean": 0.1, "low": -0.3, "high": 0.5}}, "beside": None, "geometry": None}
    (folder / "b.json").write_text(json.dumps(found))
    monkeypatch.setattr(Workbench, "run", lambda self, step: pipeline.Outcome.DONE)

    study = Study(tmp_path)
    bench = Workbench(folder=str(study.folder))
    result = dg.materialize(relevance.build(Plan(study)), resources={"workbench": bench}, raise_on_error=False)
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.severity.value, result.success) == (False, severity, goes_on)
