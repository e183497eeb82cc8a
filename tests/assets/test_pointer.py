"""Data under `dvc add`: a .dvc file that git brought starts a run that fetches the data first."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from assets.workbench import Workbench
from tests.assets.conftest import pretend_built
from tests.assets.test_automation import Watch
from uml_pipeline import pipeline
from uml_pipeline.errors import UserError
from uml_pipeline.pipeline import Step
from uml_pipeline.pointer import pointer_of
from uml_pipeline.study import Study


@pytest.fixture(params=["photos", "data"])
def tracked(study: Study, request: pytest.FixtureRequest, change_silo) -> tuple[Study, Path]:
    """A study that is up to date, whose photos (or the folder around them) are under `dvc add`; and the .dvc file."""
    folder: Path = study.folder
    if request.param == "data":
        (folder / "data").mkdir()
        shutil.move(folder / "photos", folder / "data" / "photos")
        study = change_silo(study, "photos", path="data/photos")
    pretend_built(study)
    add(study, request.param)
    return study, folder / f"{request.param}.dvc"


def add(study: Study, name: str) -> None:
    from dvc.repo import Repo

    with Repo(str(study.folder)) as repo:
        repo.add(str(study.folder / name))


@pytest.fixture
def bump(tracked: tuple[Study, Path]) -> str:
    """The text of a .dvc file for one more photo: what `git pull` would bring; the data here are the old ones."""
    study, pointer = tracked
    old, photo = pointer.read_text(), study.data("photos") / "cat" / "2.png"
    photo.write_bytes(b"two")
    add(study, pointer.stem)
    new = pointer.read_text()
    pointer.write_text(old)
    checkout(study, pointer)
    assert not photo.exists()
    return new


def checkout(study: Study, pointer: Path) -> None:
    from dvc.repo import Repo

    with Repo(str(study.folder)) as repo:
        repo.checkout(str(pointer), force=True)


def pulls(request: dg.RunRequest) -> list[str]:
    return request.run_config["resources"]["workbench"]["config"]["pull"] if request.run_config else []


def materialize(study: Study, request: dg.RunRequest, monkeypatch: pytest.MonkeyPatch) -> dg.ExecuteInProcessResult:
    """What the run begins with, by Dagster's own way from its configuration to the workbench."""
    monkeypatch.setattr(pipeline, "run_step", lambda *_: pipeline.Outcome.DONE)

    @dg.asset
    def first(workbench: Workbench) -> None:
        workbench.run(Step("silo", "photos"))

    resources = {"workbench": Workbench(folder=str(study.folder))}
    job = dg.Definitions(assets=[first], resources=resources).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(run_config=request.run_config, raise_on_error=False)


def test_a_new_pointer_has_its_data_fetched(tracked, bump, monkeypatch) -> None:
    study, pointer = tracked
    watch = Watch(study)
    assert watch.settle() == []
    pointer.write_text(bump)
    (request,) = watch.settle()
    assert pulls(request) == ["photos"]
    assert materialize(study, request, monkeypatch).success
    assert (study.data("photos") / "cat" / "2.png").read_bytes() == b"two"
    pretend_built(study)
    assert watch.settle() == []


def test_data_that_are_not_here_yet_are_fetched(tracked) -> None:
    study, _ = tracked
    shutil.rmtree(study.data("photos"))
    (study.folder / "dvc.lock").unlink()  # a clone of a study that was never run
    (request,) = Watch(study).settle()
    assert pulls(request) == ["photos"]


def test_local_changes_are_never_overwritten(tracked, bump, monkeypatch) -> None:
    study, pointer = tracked
    watch = Watch(study)
    assert watch.settle() == []
    photo = study.data("photos") / "cat" / "1.png"
    photo.unlink()  # it may be a link into the cache
    photo.write_bytes(b"mine, and in no cache")
    pointer.write_text(bump)
    (request,) = watch.settle()
    result = materialize(study, request, monkeypatch)
    assert not result.success
    (failed,) = result.get_step_failure_events()
    assert "dvc add" in str(failed.step_failure_data.error)
    assert photo.read_bytes() == b"mine, and in no cache"
    assert watch.settle() == []
    checkout(study, pointer)  # the user has decided
    (request,) = watch.settle()
    assert pulls(request) == []


def test_edited_data_beside_their_old_pointer_are_read_as_they_are(tracked) -> None:
    study, _ = tracked
    watch = Watch(study)
    assert watch.settle() == []
    (study.data("photos") / "cat" / "3.png").write_bytes(b"three")
    (request,) = watch.settle()
    assert pulls(request) == []


def test_data_that_are_added_after_they_were_read_ask_for_nothing(tracked) -> None:
    study, pointer = tracked
    watch = Watch(study)
    assert watch.settle() == []
    (study.data("photos") / "cat" / "3.png").write_bytes(b"three")
    assert len(watch.settle()) == 1
    pretend_built(study)
    add(study, pointer.stem)
    assert watch.settle() == []


def test_a_merge_conflict_in_the_pointer_is_said_in_words(tracked) -> None:
    study, pointer = tracked
    pointer.write_text(f"<<<<<<< HEAD\n{pointer.read_text()}=======\n>>>>>>> main\n")
    with pytest.raises(UserError, match=r"\.dvc file"):
        pointer_of(study, "photos")


def test_a_pointer_that_changed_while_nobody_watched(study: Study) -> None:
    pretend_built(study)
    add(study, "photos")
    pointer = study.folder / "photos.dvc"
    pointer.write_text(pointer.read_text().replace("md5: ", "md5: 00", 1))
    (request,) = Watch(study).settle()
    assert pulls(request) == ["photos"]
