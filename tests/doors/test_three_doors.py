"""Three front doors, the same bytes: the command line, `dvc repro` and Dagster."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
import yaml

from assets.definitions import build
from uml_pipeline import pipeline
from uml_pipeline.model.folder import model_hash
from uml_pipeline.study import Study

BIN = Path(sys.executable).parent


@pytest.fixture
def small_study(tiny_study: Study) -> Study:
    """Two silos: `dvc repro` starts a process for every step, and each loads torch."""
    path = tiny_study.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    del params["silos"]["scrambled"], params["trunk"]["forced"]
    path.write_text(yaml.safe_dump(params, sort_keys=False))
    return Study(tiny_study.folder)


def by_command(study: Study) -> None:
    pipeline.run(study)


def by_dvc(study: Study) -> None:
    dvc(study, "repro")


def by_dagster(study: Study) -> None:
    job = build(study).resolve_job_def("everything")
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance).success


DOORS: list[Callable[[Study], None]] = [by_command, by_dvc, by_dagster]


def dvc(study: Study, *words: str) -> str:
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    done = subprocess.run(
        [BIN / "dvc", *words],
        cwd=study.folder,
        env=os.environ | {"PATH": path, "DVC_NO_ANALYTICS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def status(study: Study) -> dict:
    from dvc.repo import Repo

    with contextlib.chdir(study.folder), Repo() as repo:
        return repo.status()


def seals(study: Study) -> dict[str, int]:
    """When each artifact was sealed."""
    found = (study.folder / "artifacts").rglob("fingerprint.json")
    return {seal.relative_to(study.folder).as_posix(): seal.stat().st_mtime_ns for seal in found}


@pytest.mark.slow
def test_every_door_gives_the_same_model_and_leaves_the_others_nothing_to_do(
    small_study: Study, tmp_path: Path
) -> None:
    """One test: each door trains a study of its own, in a folder of its own, then all doors visit it again."""
    hashes = {}
    for door in DOORS:
        folder = tmp_path / door.__name__
        shutil.copytree(small_study.folder, folder)
        study = Study(folder)
        dvc(study, "init", "--no-scm", "--quiet")
        door(study)
        hashes[door.__name__] = model_hash(folder / "artifacts" / "model")
        assert status(study) == {}
        made = seals(study)
        assert len(made) == len(pipeline.status(study)) == 8
        for again in DOORS:
            again(study)
            assert seals(study) == made, f"{again.__name__} made again what {door.__name__} had made"
        assert status(study) == {}
    assert len(set(hashes.values())) == 1, hashes
    made_before = [seal_texts(tmp_path / door) for door in hashes]
    assert made_before[0] == made_before[1] == made_before[2]


def seal_texts(folder: Path) -> dict[str, str]:
    """The content of every seal; of the last two artifacts, which tell where they were made, the hash above speaks."""
    found = (folder / "artifacts").rglob("fingerprint.json")
    return {
        seal.relative_to(folder).as_posix(): seal.read_text()
        for seal in found
        if seal.parent.name not in ("model", "report")
    }


@pytest.mark.slow
def test_dvc_takes_up_what_the_command_line_made(small_study: Study) -> None:
    pipeline.run(small_study)
    made = seals(small_study)
    (small_study.folder / "artifacts" / "report" / "index.html").unlink()
    dvc(small_study, "repro")
    again = seals(small_study)
    assert {name for name in made if again[name] != made[name]} <= {"artifacts/report/fingerprint.json"}
    assert (small_study.folder / "artifacts" / "report" / "index.html").is_file()
