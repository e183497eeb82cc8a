"""A decision on a new model is an event; a refusal is a warning, and no failed run."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from assets import champion
from assets.plan import CHAMPION, Plan
from assets.workbench import Workbench
from uml_pipeline import registry
from uml_pipeline.errors import UserError
from uml_pipeline.pipeline import Step
from uml_pipeline.registry import Decision, Release
from uml_pipeline.registry.records import Gain
from uml_pipeline.study import Study

OLD, NEW = "a" * 64, "b" * 64
WHEN = datetime(2026, 11, 26, 1, 2, tzinfo=UTC)
FIRST = Decision(when=WHEN, outcome="promoted", challenger=OLD, champion=None, number=1, reason="the first release")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    silo = "{modality: text, path: texts.csv, encoder: builtin/minilm}"
    (tmp_path / "params.yaml").write_text(f"target: texts\nsilos:\n  texts: {silo}\n")
    return Study(tmp_path)


def decide(
    study: Study, monkeypatch: pytest.MonkeyPatch, decision: Decision, released: str
) -> dg.ExecuteInProcessResult:
    """A run of the asset when the registry decides so."""
    release = Release(number=1, folder=study.folder, record=study.folder, model=released, when=WHEN, reason="so")
    monkeypatch.setattr(registry, "promote", lambda study: decision)
    monkeypatch.setattr(registry, "champion", lambda study: release)
    monkeypatch.setattr(registry, "history", lambda study: [FIRST, decision])
    return run(study)


def run(study: Study) -> dg.ExecuteInProcessResult:
    bench = Workbench(folder=str(study.folder))
    return dg.materialize(champion.build(Plan(study)), resources={"workbench": bench}, raise_on_error=False)


def event(result: dg.ExecuteInProcessResult) -> dg.AssetMaterialization:
    (one,) = result.asset_materializations_for_node("champion")
    return one


def test_a_better_model_is_the_champion_from_now_on(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    gain = Gain(mean=1.25, low=0.2, high=2.3)
    promoted = Decision(
        when=WHEN, outcome="promoted", challenger=NEW, champion=OLD, number=2, reason="better", gain=gain, samples=99
    )
    result = decide(study, monkeypatch, promoted, NEW)
    (check,) = result.get_asset_check_evaluations()
    assert (result.success, check.passed) == (True, True)
    told = event(result)
    assert (told.tags or {})["dagster/data_version"] == NEW
    assert told.metadata["gain over the champion"].value == "+1.2 points (95% interval +0.2 to +2.3)"
    rows = [record.data for record in told.metadata["history"].value.records]
    assert [(row["when"], row["decision"]) for row in rows] == [("2026-11-26 01:02 UTC", "promoted")] * 2
    assert [row["model"] for row in rows] == ["b" * 12, "a" * 12]  # the latest first


def test_a_refused_model_is_a_warning_and_no_failed_run(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Decision(when=WHEN, outcome="refused", challenger=NEW, champion=OLD, number=1, reason="it is worse")
    result = decide(study, monkeypatch, refused, OLD)
    (check,) = result.get_asset_check_evaluations()
    assert result.success
    assert (check.passed, check.severity, check.description) == (False, dg.AssetCheckSeverity.WARN, "it is worse")
    assert (event(result).tags or {})["dagster/data_version"] == OLD


def test_what_the_user_has_to_mend_first_fails_the_step_in_those_words(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def old(study: Study) -> Decision:
        raise UserError("the model is older than trunk", fix="make it anew: `uml run`")

    monkeypatch.setattr(registry, "promote", old)
    result = run(study)
    assert not result.success
    failure = result.failure_data_for_node("champion")
    assert failure and failure.user_failure_data
    assert failure.user_failure_data.metadata["to do"].value == "make it anew: `uml run`"


def test_whatever_changes_the_model_may_change_the_champion(study: Study) -> None:
    plan = Plan(study)
    reached = {step.stage for step in plan.graph if CHAMPION in plan.downstream(step)}
    assert reached == {"silo", "features", "relevance", "trunk", "model"}
    assert CHAMPION not in plan.downstream(Step("report"))
