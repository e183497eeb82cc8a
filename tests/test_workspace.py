"""Artifacts: whole or not there."""

import hashlib
import json
import random
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uml_pipeline.errors import UserError
from uml_pipeline.workspace import FINGERPRINT, Workspace, fingerprint_of, sha256, write_json

PLACES = [("trunk", None), ("silo", "drawings")]


def fill(workspace: Workspace, content: str, stage: str = "trunk", name: str | None = None) -> None:
    with workspace.writing(stage, name) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / f"{content}.txt").write_text(content)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, hidden ones and drafts included."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("stage", "name"), PLACES)
def test_an_artifact_appears_as_a_whole(tmp_path: Path, stage: str, name: str | None) -> None:
    workspace = Workspace(tmp_path)
    final = workspace.folder(stage, name)
    with workspace.writing(stage, name) as draft:
        (draft / "one.txt").write_text("one")
        assert not final.exists()
        assert draft.parent == final.parent  # a rename across file systems would not be atomic
    assert workspace.reading(stage, name) == final
    assert sorted(tree(tmp_path / "artifacts")) == [
        f"{final.relative_to(workspace.root).as_posix()}/{file}" for file in (FINGERPRINT, "one.txt")
    ]


@pytest.mark.parametrize(("stage", "name"), PLACES)
def test_a_new_artifact_replaces_the_old_one_as_a_whole(tmp_path: Path, stage: str, name: str | None) -> None:
    workspace = Workspace(tmp_path)
    fill(workspace, "old", stage, name)
    old = tree(workspace.folder(stage, name))
    with workspace.writing(stage, name) as draft:
        assert list(draft.iterdir()) == []
        (draft / "new.txt").write_text("new")
        assert tree(workspace.reading(stage, name)) == old
    assert sorted(tree(workspace.folder(stage, name))) == [FINGERPRINT, "new.txt"]
    assert [path.name for path in workspace.folder(stage, name).parent.iterdir()] == [name or stage]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_fails_leaves_the_old_artifact_and_no_draft(tmp_path: Path, error: type[BaseException]) -> None:
    workspace = Workspace(tmp_path)
    fill(workspace, "old")
    before = tree(tmp_path)
    with pytest.raises(error), workspace.writing("trunk") as draft:
        (draft / "half.txt").write_text("half")
        raise error
    assert tree(tmp_path) == before
    assert [path.name for path in workspace.root.iterdir()] == ["trunk"]


def test_what_fails_at_first_leaves_nothing(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(ValueError, match="stop"), workspace.writing("silo", "drawings") as draft:
        (draft / "half.txt").write_text("half")
        raise ValueError("stop")
    assert list((workspace.root / "silo").iterdir()) == []


@pytest.mark.parametrize(("stage", "name"), PLACES)
def test_an_incomplete_artifact_is_not_read(tmp_path: Path, stage: str, name: str | None) -> None:
    workspace = Workspace(tmp_path)
    folder = workspace.folder(stage, name)
    folder.mkdir(parents=True)
    (folder / "half.txt").write_text("half")
    with pytest.raises(UserError) as caught:
        workspace.reading(stage, name)
    assert caught.value.where == str(folder)
    assert f"`uml {stage} {name}`" in caught.value.fix if name else f"`uml {stage}`" in caught.value.fix
    assert "`uml run`" in caught.value.fix


def test_the_fingerprint_names_every_file_by_its_hash(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    fill(workspace, "old")
    seal = workspace.folder("trunk") / FINGERPRINT
    assert json.loads(seal.read_text()) == {"deep/old.txt": hashlib.sha256(b"old").hexdigest()}
    assert workspace.version("trunk") == sha256(seal)


def test_the_version_follows_the_content_alone(tmp_path: Path) -> None:
    one, two, other = (Workspace(tmp_path / name) for name in "abc")
    for workspace, content in ((one, "same"), (two, "same"), (other, "other")):
        fill(workspace, content)
    assert one.version("trunk") == two.version("trunk") != other.version("trunk")


def test_others_may_read_an_artifact(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with workspace.writing("trunk") as folder:
        (folder / "weights").write_text("")
        (folder / "weights").chmod(0o600)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in workspace.folder("trunk").iterdir()}
    assert modes["weights"] == 0o644


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"deep": [1.0, float("-inf")]}])
def test_json_has_no_numbers_that_other_readers_refuse(tmp_path: Path, value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", value)
    assert list(tmp_path.iterdir()) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=6), st.randoms())
def test_the_order_of_keys_does_not_change_a_fingerprint(value: dict[str, object], hand: random.Random) -> None:
    items = list(value.items())
    hand.shuffle(items)
    assert fingerprint_of(dict(items)) == fingerprint_of(value)


@given(JSON, JSON)
def test_fingerprints_differ_where_values_do(one: object, two: object) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)
    assert (fingerprint_of(one) == fingerprint_of(two)) is same


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with workspace.writing("silo", "photos") as folder:
        (folder / "table").write_text("whole")
    for left in (".photos.123.draft", ".photos.123.old", ".other.123.draft"):
        (tmp_path / "artifacts" / "silo" / left).mkdir()
    workspace.sweep("silo", "photos")
    assert sorted(path.name for path in (tmp_path / "artifacts" / "silo").iterdir()) == [".other.123.draft", "photos"]
    assert (workspace.reading("silo", "photos") / "table").read_text() == "whole"
