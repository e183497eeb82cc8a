"""`uml predict`: folders, tables and texts into a table, whatever some of them are."""

import json
import shutil
import sys

import numpy as np
import pandas as pd
import pytest

from tests.model.shipped import LABELS, pictures, shipped
from uml_pipeline import cli
from uml_pipeline.errors import UserError
from uml_pipeline.model import UnimodalModel, outcomes
from uml_pipeline.model.listing import listed
from uml_pipeline.model.outcomes import outcomes as recognised
from uml_pipeline.workspace import seal


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A model of pictures, and a folder of 12 with three that are none and one file of another kind."""
    folder = tmp_path_factory.mktemp("images")
    model = shipped(folder / "model", "image", "builtin/emoji")
    paths = pictures(folder / "new", 12)
    (folder / "new" / "1" / "000.jpg").write_text("no picture")
    (folder / "new" / "0" / "cut.png").write_bytes(paths[0].read_bytes()[:80])
    (folder / "new" / "2" / "empty.PNG").touch()
    (folder / "new" / "notes.txt").write_text("no picture, and not called one")
    shutil.copy(paths[0], folder / "new" / ".hidden.png")
    return model, folder / "new", paths


@pytest.fixture
def uml(monkeypatch, capsys):
    def call(*words):
        monkeypatch.setattr(sys, "argv", ["uml", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return call


def read(path):
    return {".parquet": pd.read_parquet, ".csv": pd.read_csv}.get(
        path.suffix, lambda file: pd.read_json(file, lines=True)
    )(path)


@pytest.mark.parametrize("name", ["preds.parquet", "preds.csv", "preds.jsonl"])
def test_a_folder_into_a_table(images, uml, tmp_path, name):
    model, folder, paths = images
    code, told, err = uml("predict", model, folder, "--out", tmp_path / name, "--top", 2)
    assert (code, err) == (0, "")
    assert "12 of 15 samples recognised" in told
    assert "3 could not be read" in told
    found = read(tmp_path / name)
    assert list(found) == ["sample", "label", "probability", "label_2", "probability_2", "error"]
    assert found["sample"].tolist() == sorted(found["sample"])
    bad = found["error"].notna()
    assert {path.rpartition("/")[2] for path in found["sample"][bad]} == {"000.jpg", "cut.png", "empty.PNG"}
    assert found["label"].isna().equals(bad)
    good, loaded = found[~bad].set_index("sample"), UnimodalModel.load(model)
    for path, row in zip(paths, loaded.top(paths, 2), strict=True):
        told = good.loc[str(path)]
        assert [told["label"], told["label_2"]] == [label for label, _ in row]
        assert np.allclose([told["probability"], told["probability_2"]], [share for _, share in row], atol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_steps_and_who_fails_change_no_outcome(images, monkeypatch):
    model, folder, _ = images
    loaded = UnimodalModel.load(model)
    named = listed([str(folder)], loaded)
    [whole] = recognised(loaded, named)
    monkeypatch.setattr(outcomes, "AT_ONCE", 2)
    parts = [one for some in recognised(loaded, named) for one in some]
    assert len(whole) == len(parts) == 15
    for (name, one), (other, two) in zip(whole, parts, strict=True):
        assert name == other
        assert type(one) is type(two)
        assert isinstance(one, UserError) or np.array_equal(one, two)
        assert not isinstance(one, UserError) or name in str(one)


def test_nothing_that_can_be_read_is_a_failure(images, uml, tmp_path):
    (tmp_path / "a.png").write_text("none")
    out = tmp_path / "out.csv"
    code, told, _ = uml("predict", images[0], tmp_path / "a.png", "--out", out)
    assert (code, "0 of 1" in told) == (1, True)
    assert read(out)["error"].str.contains("not a readable image").all()


def test_what_was_there_stays_until_the_new_one_is_whole(images, uml, tmp_path, monkeypatch):
    model, folder, _ = images
    out = tmp_path / "out.parquet"
    out.write_text("before")

    def interrupted(*_):
        if list(tmp_path.glob(".*.draft.*")):  # some of it is written
            raise KeyboardInterrupt
        return whole(*_)

    whole = outcomes._of
    monkeypatch.setattr(outcomes, "AT_ONCE", 4)
    monkeypatch.setattr(outcomes, "_of", interrupted)
    code, _, err = uml("predict", model, folder, "--out", out)
    assert code == 130
    assert "Traceback" not in err
    assert out.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


def test_what_a_spreadsheet_would_run_is_written_as_text(uml, tmp_path):
    """And an apostrophe less is what it was; numbers, and what other tables hold, stay as they are."""
    model = shipped(tmp_path / "model", "text", "builtin/minilm")
    labels = ["=cmd|' /C calc'!A0", "-1", "'tis"]
    (model / "labels.json").write_text(json.dumps(labels))
    seal(model)
    texts = ["@SUM(1+1)", "\t=1+1", "＝1", "'quoted'", "plain", "+49 30 1234", "-2.5"]
    for name in ("preds.csv", "preds.jsonl"):
        assert uml("predict", model, "--out", tmp_path / name, "--", *texts)[0] == 0
    written = read(tmp_path / "preds.csv")
    shown = ["'@SUM(1+1)", "'\t=1+1", "'＝1", "''quoted'", "plain", "'+49 30 1234", "-2.5"]
    assert written["sample"].tolist() == shown
    assert set(written["label"]) | set(written["label_2"]) == {"'=cmd|' /C calc'!A0", "-1", "''tis"}
    other = read(tmp_path / "preds.jsonl")
    assert other["sample"].tolist() == texts
    assert written["label"].str.removeprefix("'").tolist() == other["label"].astype(str).tolist()


def test_codes_for_a_terminal_are_spelt_out(uml, tmp_path):
    model = shipped(tmp_path / "model", "text", "builtin/minilm")
    _, out, _ = uml("predict", model, "a\x1b[31mred\u202egnp")
    assert out.startswith("a\\x1b[31mred\\u202egnp\t")
    code, _, err = uml("predict", tmp_path / "no\x1b[2Jwhere", "a")
    assert (code, "\x1b" in err) == (2, False)


def test_mistakes_are_told_before_anything_is_read(images, uml, tmp_path):
    model, folder, _ = images
    for words, told in (
        ((folder, "--out", tmp_path / "out.xlsx"), "no such type of table"),
        ((folder, "--out", tmp_path / "no" / "out.csv"), "no such folder"),
        ((tmp_path / "nowhere.png", "--out", tmp_path / "out.csv"), "no such file"),
        ((tmp_path, "--out", tmp_path / "out.csv"), "nothing to recognise"),
    ):
        code, _, err = uml("predict", model, *words)
        assert (code, told in err) == (2, True), err
    assert not list(tmp_path.iterdir())


def test_printed_line_by_line_and_stopped_by_what_cannot_be_read(images, uml):
    model, folder, paths = images
    code, told, _ = uml("predict", model, folder / "0" / "000.png", paths[1], "--top", 1)
    assert (code, len(told.splitlines())) == (0, 2)
    code, _, err = uml("predict", model, folder)
    assert (code, "--out" in err) == (2, True)


def test_texts_typed_in_files_and_in_tables(uml, tmp_path):
    model = shipped(tmp_path / "model", "text", "builtin/minilm")
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text("a cat")
    (folder / "b.txt").write_bytes(b"\xff\xfe")
    pd.DataFrame({"text": ["a cat", "", "a dog"], "label": "?"}).to_csv(folder / "c.csv", index=False)
    out = tmp_path / "out.jsonl"
    assert uml("predict", model, "a cat", folder, "a.txt", "--out", out)[0] == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["sample"] for row in rows] == [
        "a cat",
        *(str(folder / name) for name in ("a.txt", "b.txt", "c.csv#0", "c.csv#1", "c.csv#2")),
        "a.txt",
    ]
    assert [row["error"] is None for row in rows] == [True, True, False, True, False, True, True]
    assert rows[0]["probability"] == rows[1]["probability"] == rows[3]["probability"]
    assert "not UTF-8" in rows[2]["error"]
    assert "empty text" in rows[4]["error"]


def test_vectors_and_series_come_from_files(uml, tmp_path):
    model = shipped(tmp_path / "model", "vector", "vectors", {"dim": 4, "origin": "a"})
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x)
    pd.DataFrame(x).to_csv(tmp_path / "x.csv", index=False)
    code, told, _ = uml("predict", model, tmp_path / "x.npz", tmp_path / "x.csv", "--top", 1)
    lines = [line.split("\t")[1] for line in told.splitlines()]
    assert (code, lines[:5]) == (0, lines[5:])
    assert [line.split()[0] for line in lines[:5]] == UnimodalModel.load(model).predict(x).tolist()
    code, _, err = uml("predict", model, tmp_path / "model" / "config.json")
    assert (code, "no file of vector samples" in err) == (2, True)
    assert set(LABELS) >= {line.split()[0] for line in lines}
