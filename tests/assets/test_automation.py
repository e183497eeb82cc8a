"""The sensor asks for a run of what depends on a changed silo, and for nothing otherwise."""

from pathlib import Path

import dagster as dg
import pytest

from assets.automation import fingerprint, silo_changes
from assets.definitions import build
from assets.plan import Plan
from uml_pipeline.study import Study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "1.png").write_bytes(b"one")
    (tmp_path / "texts.csv").write_text("text,label\nmeow,cat\n")
    (tmp_path / "params.yaml").write_text(
        "target: photos\nsilos:\n"
        "  photos: {modality: image, path: photos, encoder: builtin/emoji}\n"
        "  texts: {modality: text, path: texts.csv, encoder: builtin/minilm}\n"
    )
    return Study(tmp_path)


def tick(study: Study, cursor: str | None) -> tuple[list[dg.RunRequest], str | None]:
    """What the sensor asks for, and what it will remember."""
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        data = silo_changes(Plan(study)).evaluate_tick(context)
    return list(data.run_requests or []), data.cursor


def test_the_first_look_only_remembers(study: Study) -> None:
    requests, cursor = tick(study, None)
    assert not requests
    assert cursor


def test_nothing_is_asked_for_while_nothing_changes(study: Study) -> None:
    _, cursor = tick(study, None)
    assert tick(study, cursor) == ([], cursor)


def test_a_changed_silo_asks_for_what_depends_on_it_once(study: Study) -> None:
    _, before = tick(study, None)
    (study.folder / "texts.csv").write_text("text,label\nmeow meow,cat\n")
    (request,), after = tick(study, before)
    assert {key.to_user_string() for key in request.asset_selection or ()} == {
        *("silo/texts", "features/texts", "relevance/texts", "trunk", "model", "report")
    }
    assert request.tags["uml/changed"] == "texts"
    assert tick(study, after) == ([], after)


def test_a_new_file_and_a_vanished_silo_are_changes_too(study: Study) -> None:
    photos = study.data("photos")
    before = fingerprint(photos)
    (photos / "cat" / "2.png").write_bytes(b"two")
    after = fingerprint(photos)
    assert len({before, after, fingerprint(study.folder / "nowhere")}) == 3


def test_nothing_runs_by_itself_until_someone_turns_it_on(study: Study) -> None:
    defs = build(study)
    assert defs.resolve_schedule_def("nightly").default_status == dg.DefaultScheduleStatus.STOPPED
    assert defs.resolve_sensor_def("silo_changes").default_status == dg.DefaultSensorStatus.STOPPED
