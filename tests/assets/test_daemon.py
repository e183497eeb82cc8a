"""The pipeline runs itself: a real daemon watches a study, and somebody works on its data."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from PIL import Image, ImageDraw

from tests.assets.watching import BIN, Daemon
from tests.conftest import CLASSES
from uml_pipeline.registry import champion, history
from uml_pipeline.study import Study

TARGET = "drawings"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Callable[[Study], Daemon]]:
    """`daemon(study)` watches that study until the test ends."""
    started = []

    def start(study: Study) -> Daemon:
        home = tmp_path / "home"
        home.mkdir()
        started.append(Daemon(study, home))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def states(made: dict[str, dg.AssetMaterialization]) -> dict[str, str]:
    return {key: str(one.metadata["state"].value) for key, one in made.items() if "state" in one.metadata}


def version(made: dict[str, dg.AssetMaterialization], key: str) -> str:
    return (made[key].tags or {})["dagster/data_version"]


def training(study: Study) -> pd.DataFrame:
    """The rows of the target's manifest that the shipped model learns from or is chosen by."""
    rows = pd.read_parquet(study.folder / "artifacts" / "silo" / TARGET / "manifest.parquet")
    assert set(rows["split"]) == {"train", "val", "test", "gate"}
    return rows[rows["split"].isin(["train", "val"])]


def scribble(study: Study) -> None:
    """A line across one picture that the model learns from."""
    path = study.folder / training(study)["path"].iloc[0]
    with Image.open(path) as image:
        drawn = image.copy()
    ImageDraw.Draw(drawn).line((0, 0, 63, 63), fill="black", width=5)
    drawn.save(path)


def corrupt(study: Study) -> None:
    """Every class that the model learns from goes by the name of the next one; the gate and the test keep theirs."""
    folder = study.data(TARGET)
    notes = pd.read_csv(folder / "metadata.csv")
    learnt = {(study.folder / path).relative_to(folder).as_posix() for path in training(study)["path"]}
    following = dict(zip(CLASSES, [*CLASSES[1:], CLASSES[0]], strict=True))
    labels = notes["file_name"].str.partition("/")[0]
    notes["label"] = labels.where(~notes["file_name"].isin(learnt), labels.map(following))
    notes.to_csv(folder / "metadata.csv", index=False)


def outcomes(study: Study) -> list[str]:
    return [decision.outcome for decision in history(study)]


def released(study: Study) -> int:
    release = champion(study)
    assert release
    return release.number


@pytest.mark.slow
def test_new_data_become_a_new_champion_and_bad_data_do_not(
    tiny_study: Study, change_silo: Callable[..., Study], daemon: Callable[[Study], Daemon]
) -> None:
    study = change_silo(tiny_study, TARGET, gate=0.1)
    watched = daemon(study)
    first = watched.run(1)  # nothing was ever built, so the first looks ask for everything
    assert set(states(first).values()) == {"done"}
    assert outcomes(study) == ["promoted"]

    watched.looks(3)
    assert watched.instance.get_runs_count() == 1
    scribble(study)
    second = watched.run(2)
    assert set(second) == {
        *(f"silo/{TARGET}", f"features/{TARGET}", "relevance/descriptions", "relevance/scrambled"),
        *("trunk", "model", "report", "champion"),
    }
    assert set(states(second).values()) == {"done"}
    assert version(second, "model") != version(first, "model")
    assert any("a run is going on" in (tick.tick_data.skip_reason or "") for tick in watched.ticks())
    assert (outcomes(study)[1:], released(study)) == (["promoted"], 2)

    corrupt(study)
    third = watched.run(3)
    assert version(third, "model") != version(second, "model")
    assert (outcomes(study)[2:], released(study)) == (["refused"], 2)

    subprocess.run([BIN / "uml", "rollback", "--study", study.folder], check=True)
    assert (outcomes(study)[3:], released(study)) == (["rolled back"], 1)


@pytest.mark.slow
def test_a_run_whose_process_was_killed_is_taken_up_where_it_was(
    tiny_study: Study, daemon: Callable[[Study], Daemon]
) -> None:
    watched = daemon(tiny_study)
    had = states(watched.kill(1, after="features/descriptions"))
    again = states(watched.run(2))
    assert set(had.values()) == {"done"}
    assert {again.get(key, "unchanged") for key in had} == {"unchanged"}
    assert again["model"] == "done"
    assert watched.instance.get_runs_count() == 2
