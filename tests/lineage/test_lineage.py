import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from rich.console import Console

import uml_pipeline
from uml_pipeline import lineage
from uml_pipeline.errors import UserError
from uml_pipeline.lineage import environment
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, write_json

HASH = "ab" * 32


@pytest.fixture
def study(tmp_path: Path) -> Study:
    silos = {
        "drawings": {"modality": "image", "path": "data/drawings", "encoder": "builtin/emoji"},
        "notes": {"modality": "text", "path": "data/notes.csv", "encoder": "builtin/minilm"},
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"target": "drawings", "silos": silos}))
    workspace = Workspace(tmp_path)
    for name in silos:
        with workspace.writing("silo", name) as folder:
            pd.DataFrame({"sample_id": [f"{name}1", f"{name}2"]}).to_parquet(folder / "manifest.parquet")
        with workspace.writing("features", name) as folder:
            (folder / "index").write_text(name)
    with workspace.writing("relevance") as folder:
        write_json(folder / "notes.json", {})
    with workspace.writing("trunk") as folder:
        write_json(folder / "metrics.json", {"ships": {"method": "uml"}})
    return Study(tmp_path)


@pytest.fixture
def model(study: Study) -> Path:
    with Workspace(study.folder).writing("model") as folder:
        write_json(folder / "lineage.json", lineage.collect(study, HASH))
    return Workspace(study.folder).reading("model")


def rewrite(model: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((model / "lineage.json").read_text())
    change(content)
    (model / "lineage.json").write_text(json.dumps(content))


def shown(model: Path) -> str:
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(lineage.tree(model))
    return capture.get()


def test_tells_every_step_down_to_the_data(study: Study) -> None:
    found = lineage.collect(study, HASH)
    nodes = {node["step"]: node for node in found["nodes"]}
    silos, features = {"silo@drawings", "silo@notes"}, {"features@drawings", "features@notes"}
    assert set(nodes) == {"model", "trunk", "relevance"} | silos | features
    assert nodes["model"]["version"] == HASH
    assert set(nodes["model"]["inputs"]) == silos | features | {"trunk"}
    assert nodes["features@notes"]["inputs"] == ["silo@notes"]
    assert nodes["trunk"]["version"] == Workspace(study.folder).version("trunk")
    assert nodes["trunk"]["params"] == {"target": "drawings", "trunk": study.params.trunk.model_dump(mode="json")}
    assert nodes["silo@notes"]["params"]["silos.notes"]["path"] == "data/notes.csv"
    assert nodes["model"]["code"] == lineage.code_version("model")
    assert nodes["silo@notes"]["code"] != lineage.code_version("silo")  # also that of `samples`
    assert found["data"]["notes"]["of"] == "sample ids"
    assert found["method"] == "uml"
    assert set(found["packages"]) == set(lineage.PACKAGES)


def test_round_trip(study: Study, model: Path) -> None:
    assert lineage.read(model).model_dump(mode="json") == lineage.collect(study, HASH)


def test_raw_data_has_the_hash_that_dvc_recorded(study: Study) -> None:
    lock = {
        "stages": {
            "silo@notes": {
                "deps": [{"path": "uml_pipeline/silo", "md5": "00" * 16}, {"path": "data/notes.csv", "md5": "cd" * 16}]
            }
        }
    }
    (study.folder / "dvc.lock").write_text(yaml.safe_dump(lock))
    data = lineage.collect(study, HASH)["data"]
    assert data["notes"] == {"path": "data/notes.csv", "hash": "cd" * 16, "of": "DVC md5"}
    assert data["drawings"]["of"] == "sample ids"


def test_git_commit_and_changes(study: Study) -> None:
    def git(*words: str) -> None:
        person = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(study.folder), *person, *words], check=True, capture_output=True)

    assert lineage.collect(study, HASH)["git"] is None
    git("init")
    (study.folder / "dvc.lock").write_text("stages: {}\n")
    git("add", "params.yaml", "dvc.lock")
    git("commit", "-m", "start")
    assert lineage.collect(study, HASH)["git"]["dirty"] is False
    (study.folder / "dvc.lock").write_text("stages: {}\n# rewritten by the run\n")
    assert lineage.collect(study, HASH)["git"]["dirty"] is False
    with (study.folder / "params.yaml").open("a") as file:
        file.write("# changed\n")
    assert lineage.collect(study, HASH)["git"]["dirty"] is True


def test_tree_shows_each_step_once(model: Path) -> None:
    text = shown(model)
    for part in ("model (uml)", "trunk", "relevance", "features@notes", "silo@drawings", "'data/notes.csv'"):
        assert text.count(part) == 1 if "@" in part or "'" in part else part in text
    assert HASH[:12] in text
    assert text.index("model") < text.index("trunk") < text.index("relevance") < text.index("silo@")


def test_tree_shows_square_brackets_and_control_characters_as_they_are(model: Path) -> None:
    rewrite(model, lambda content: content["data"]["notes"].update(path="[red]x\x1b[2J[/red]"))
    text = shown(model)
    assert "[red]x" in text
    assert "\x1b" not in text


def test_no_model_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no lineage\.json here"):
        lineage.tree(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("nodes"),
        lambda content: content["nodes"].reverse(),
        lambda content: content["nodes"].clear(),
        lambda content: content["nodes"][0].update(version="\x1b[2J"),
        lambda content: content["nodes"][0]["inputs"].append("model"),
        lambda content: content.update(surprise=1),
    ],
)
def test_malformed(model: Path, change: Callable[[dict[str, Any]], object]) -> None:
    rewrite(model, change)
    with pytest.raises(UserError, match=r"lineage\.json is malformed"):
        lineage.tree(model)


def test_not_json(model: Path) -> None:
    (model / "lineage.json").write_text("{")
    with pytest.raises(UserError, match=r"lineage\.json is malformed"):
        lineage.tree(model)


def test_code_version_sees_content_and_names_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "lineage" / "environment.py"))
    for room, order in (("one", ["a", "b"]), ("two", ["b", "a"])):
        (tmp_path / room / "__pycache__").mkdir(parents=True)
        for name in order:
            (tmp_path / room / f"{name}.py").write_text(name)
    first = lineage.code_version("one")
    assert lineage.code_version("two") == first
    (tmp_path / "one/__pycache__/a.py").write_text("cached")
    (tmp_path / "one/notes.txt").write_text("not code")
    assert lineage.code_version("one") == first
    (tmp_path / "one/page.html").write_text("code")
    assert lineage.code_version("one") != first


def test_unknown_room() -> None:
    with pytest.raises(ValueError, match="no room 'attic'"):
        lineage.code_version("attic")


def test_every_room_has_a_code_version() -> None:
    rooms = [path.name for path in Path(uml_pipeline.__file__).parent.iterdir() if (path / "__init__.py").is_file()]
    assert len({lineage.code_version(room) for room in rooms}) == len(rooms)
