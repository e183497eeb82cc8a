"""Dagster's definitions in the installed library: there, whole, and what a study of one's own starts with."""

import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from setuptools import find_packages

from uml_pipeline.errors import UserError
from uml_pipeline.start.dagster import environment, serve
from uml_pipeline.start.project import FRONT_DOOR

ROOT = Path(__file__).parents[2]


def test_every_package_is_shipped() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert told["package-dir"] == {"uml_pipeline_dagster": "assets"}
    front = ["", *(f".{name}" for name in find_packages(ROOT / "assets"))]
    ours = find_packages(ROOT, include=["uml_pipeline*"])
    assert sorted(told["packages"]) == sorted([*ours, *(f"uml_pipeline_dagster{name}" for name in front)])


def test_the_front_door_opens_in_a_study_of_one_s_own(tmp_path: Path) -> None:
    """From a folder that knows nothing of the repository, by the name that the installed library has."""
    silo = "{modality: text, path: texts.csv, encoder: builtin/minilm}"
    (tmp_path / "params.yaml").write_text(f"target: texts\nsilos:\n  texts: {silo}\n")
    code = f"from {FRONT_DOOR} import defs; print(len(defs.resolve_all_asset_specs()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["7"], done.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UserError, match="port") as caught:
            serve(tmp_path, port)
    assert str(port) in caught.value.where
    assert "--port" in caught.value.fix


def test_a_home_of_its_own_that_stays_as_the_user_edits_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UML_STUDY", "/elsewhere")
    found = environment(tmp_path)
    home = tmp_path / ".dagster"
    assert (found["DAGSTER_HOME"], found["UML_STUDY"]) == (str(home), str(tmp_path))
    assert (home / "dagster.yaml").read_text() == (ROOT / "assets" / "dagster.yaml").read_text()
    (home / "dagster.yaml").write_text("mine")
    environment(tmp_path)
    assert (home / "dagster.yaml").read_text() == "mine"
