"""Versions of a study, kept by git and DVC: compare, experiment, push, and use elsewhere what was made here."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from uml_pipeline.study import Study

BIN = Path(sys.executable).parent
ALONE = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "DVC_NO_ANALYTICS": "1",
}


def shell(folder: Path, command: str) -> str:
    """What a command prints, with this environment's programs; it must end well."""
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=os.environ | ALONE | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def small(study: Study) -> Path:
    """Two silos of the tiny study under git and DVC, its raw data tracked, with a remote in a folder."""
    folder, path = study.folder, study.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    del params["silos"]["scrambled"], params["trunk"]["forced"]
    path.write_text(yaml.safe_dump(params, sort_keys=False))
    shell(folder, "git init --quiet && dvc init --quiet && dvc remote add --default store ../store")
    shell(folder, "dvc add --quiet data/drawings data/descriptions.csv")
    return folder


@pytest.mark.slow
def test_compare_experiment_push_and_use_elsewhere(tiny_study: Study, tmp_path: Path) -> None:
    """One test, to train once."""
    folder = small(tiny_study)
    shell(folder, "uml run && git add --all && git commit --quiet --message first")
    assert shell(folder, "git status --porcelain") == ""

    shell(folder, "dvc exp run --quiet --set-param trunk.seeds=6 --name six")
    told = shell(folder, "dvc metrics diff --all --md")
    assert "artifacts/report/summary.json" in told  # `--all`: both versions recognise every drawing here
    assert "shots.1.uml" in told
    assert "six" in shell(folder, "dvc exp show --no-pager --md")
    page = Path(shell(folder, "dvc plots diff HEAD --out ../plots").strip().removeprefix("file://"))
    drawn = page.read_text()
    assert "Accuracy by labelled samples a class" in drawn
    assert "Gain over the strongest arm" in drawn
    assert list((tmp_path / "plots").rglob("*learning_curve.svg"))

    back = "git checkout --quiet . && dvc checkout --quiet && uml run"
    assert shell(folder, back).count("unchanged") == 8, "the first version is there again"
    again = shell(folder, "sed -i 's/seeds: 4/seeds: 6/' params.yaml && uml run")
    assert (again.count("restored"), again.count("unchanged")) == (3, 5), "the experiment had made them"
    shell(folder, back)

    shell(folder, "dvc push --quiet")
    elsewhere = tmp_path / "elsewhere"
    shell(tmp_path, f"git clone --quiet {folder} {elsewhere}")
    shutil.move(folder, tmp_path / "gone")
    shell(elsewhere, "dvc pull --quiet")
    sample = shutil.copy(elsewhere / "data/drawings/gold-triangle/fay.png", tmp_path / "what.png")
    assert "gold-triangle" in shell(elsewhere, f"uml predict artifacts/model {sample}")
    assert shell(elsewhere, "dvc status") == "Data and pipelines are up to date.\n"
    assert "to do" not in shell(elsewhere, "uml status")
