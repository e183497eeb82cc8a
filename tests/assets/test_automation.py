"""The sensor asks for a run of what depends on a silo whose content changed, once, and for nothing otherwise."""

import os

import dagster as dg
import pytest
import yaml

from assets.automation import silo_changes
from assets.definitions import build
from assets.plan import Plan
from tests.assets.conftest import pretend_built
from uml_pipeline.study import Study


class Watch:
    """The sensor of a study, and the cursor that it keeps between two looks."""

    def __init__(self, study: Study) -> None:
        self.instance, self.cursor = dg.DagsterInstance.ephemeral(), None
        self._sensor = silo_changes(Plan(study))

    def look(self) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        data = self._sensor.evaluate_tick(context)
        self.cursor = data.cursor
        return list(data.run_requests or [])

    def settle(self) -> list[dg.RunRequest]:
        """Two looks: the first may ask for nothing."""
        assert self.look() == []
        return self.look()


@pytest.fixture
def watch(study: Study) -> Watch:
    """A study that is up to date, and known to the sensor."""
    pretend_built(study)
    watch = Watch(study)
    assert watch.settle() == []
    return watch


def test_nothing_is_asked_for_while_nothing_changes(watch: Watch) -> None:
    assert watch.settle() == []


def test_a_changed_silo_asks_for_what_depends_on_it_once(study: Study, watch: Watch) -> None:
    (study.folder / "texts.csv").write_text("text,label\nmeow meow,cat\n")
    (request,) = watch.settle()
    assert {key.to_user_string() for key in request.asset_selection or ()} >= {
        *("silo/texts", "features/texts", "relevance/texts", "trunk", "model", "report", "champion")
    }
    assert not any(key.path[-1] == "photos" for key in request.asset_selection or ())
    assert request.tags["uml/changed"] == "texts"
    assert watch.settle() == []


def test_what_changed_while_nobody_watched_counts_at_the_first_look(study: Study) -> None:
    pretend_built(study)
    (study.folder / "texts.csv").write_text("text,label\nmeow meow,cat\n")
    (request,) = Watch(study).settle()
    assert request.tags["uml/changed"] == "texts"


def test_the_same_bytes_again_ask_for_nothing(study: Study, watch: Watch) -> None:
    photo = study.folder / "photos" / "cat" / "1.png"
    os.utime(photo, (1, 1))
    assert watch.settle() == []
    photo.unlink()
    photo.write_bytes(b"one")  # fetched once more
    assert watch.settle() == []


def test_a_copy_in_progress_asks_for_nothing_until_it_is_through(study: Study, watch: Watch) -> None:
    for number in range(2, 5):
        (study.folder / "photos" / "cat" / f"{number}.png").write_bytes(b"more")
        assert watch.look() == []
    assert len(watch.look()) == 1


def test_a_file_that_goes_during_a_look_is_a_silo_that_changes(study: Study, watch: Watch, monkeypatch) -> None:
    def find(*_, **__) -> None:
        raise FileNotFoundError("rsync's temporary file")

    with monkeypatch.context() as patched:
        patched.setattr("fsspec.implementations.local.LocalFileSystem.find", find)
        assert watch.settle() == []
    assert watch.settle() == []


def test_silos_that_changed_together_are_one_run(study: Study, watch: Watch) -> None:
    (study.folder / "texts.csv").write_text("text,label\nmeow meow,cat\n")
    (study.folder / "photos" / "cat" / "2.png").write_bytes(b"two")
    (request,) = watch.settle()
    assert request.tags["uml/changed"] == "photos,texts"


def test_a_vanished_silo_is_a_change_too(study: Study, watch: Watch) -> None:
    (study.folder / "texts.csv").unlink()
    assert len(watch.settle()) == 1
    assert watch.settle() == []


def test_data_that_a_step_of_the_study_makes_are_made_again_when_they_vanish(study: Study) -> None:
    pretend_built(study)
    graph = yaml.safe_load((study.folder / "dvc.yaml").read_text())
    graph["stages"]["get-texts"] = {"cmd": "echo text,label > texts.csv", "outs": ["texts.csv"]}
    (study.folder / "dvc.yaml").write_text(yaml.safe_dump(graph, sort_keys=False))
    (study.folder / "texts.csv").unlink()
    (request,) = Watch(study).settle()
    assert dg.AssetKey(["data", "get_texts"]) in (request.asset_selection or ())


def test_changes_pile_up_in_the_silos_while_a_run_is_going_on(study: Study, watch: Watch) -> None:
    run = watch.instance.add_run(dg.DagsterRun(job_name="everything", status=dg.DagsterRunStatus.STARTED))
    for number in range(2, 4):
        (study.folder / "photos" / "cat" / f"{number}.png").write_bytes(b"more")
        assert watch.settle() == []
    watch.instance.delete_run(run.run_id)
    assert len(watch.look()) == 1


def test_what_a_run_under_way_built_is_not_asked_for_again(study: Study, watch: Watch) -> None:
    run = watch.instance.add_run(dg.DagsterRun(job_name="everything", status=dg.DagsterRunStatus.STARTED))
    (study.folder / "texts.csv").write_text("text,label\nmeow meow,cat\n")
    assert watch.settle() == []
    pretend_built(study)
    watch.instance.delete_run(run.run_id)
    assert watch.settle() == []


def test_a_look_repeated_after_a_crash_asks_for_the_same_run_and_a_later_change_for_another(
    study: Study, watch: Watch
) -> None:
    texts, keys = study.folder / "texts.csv", []
    old = texts.read_text()
    for content in ("text,label\nmeow meow,cat\n", old, "text,label\nmeow meow,cat\n"):
        texts.write_text(content)
        watch.look()
        before = watch.cursor
        (first,) = watch.look()
        watch.cursor = before
        (again,) = watch.look()
        assert first.run_key == again.run_key
        keys.append(first.run_key)
        pretend_built(study)
    assert len(set(keys)) == 3


def test_a_run_that_failed_is_not_asked_for_again_until_the_content_changes_again(study: Study, watch: Watch) -> None:
    texts = study.folder / "texts.csv"
    old = texts.read_text()
    texts.write_text("nonsense")
    assert len(watch.settle()) == 1  # and nothing is recorded: the silo was refused
    os.utime(texts, (1, 1))
    assert watch.settle() == []
    texts.write_text(old)
    assert watch.settle() == []
    texts.write_text("nonsense")
    assert len(watch.settle()) == 1


def test_nothing_runs_by_itself_until_someone_turns_it_on(study: Study) -> None:
    defs = build(study)
    assert defs.resolve_schedule_def("nightly").default_status == dg.DefaultScheduleStatus.STOPPED
    for name in ("silo_changes", "conditions"):
        assert defs.resolve_sensor_def(name).default_status == dg.DefaultSensorStatus.STOPPED
