"""The command line: its verbs, and how it answers a mistake."""

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml

from uml_pipeline import cli, pipeline
from uml_pipeline.pipeline import STAGES
from uml_pipeline.study import Study
from uml_pipeline.workspace import seal

VERBS = [
    *("init", "check", "doctor", "run", "status", "graph", "ui", "demo-data"),
    *("predict", "export", "push", "lineage", "verify", "sign", "reproduce", "promote", "models", "rollback", "theory"),
    *(stage.name for stage in STAGES),
]


@dataclass
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Uml = Callable[..., Answer]


@pytest.fixture(scope="module", autouse=True)
def _dvc() -> None:
    """DVC keeps the stderr that it was first imported under: not one that ends with a test."""
    importlib.import_module("dvc.repo")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No command finds a study by chance in the folder that the tests were started in."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))


@pytest.fixture
def uml(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Uml:
    """`uml("run", "--study", folder)`: the command, in this process; it must not end in a stack trace."""

    def call(*words: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["uml", *map(str, words)])
        monkeypatch.setenv("COLUMNS", "200")
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return Answer(int(ended.value.code or 0), printed.out, printed.err)

    return call


def refused(answer: Answer, *words: str) -> None:
    """Exit code 2, and an answer in three parts that holds `words`."""
    assert answer.code == 2, answer
    what = answer.err[answer.err.index("error: ") :]
    assert "\n  to do: " in what
    assert "\n  where: " in what
    for word in words:
        assert word in what


def half_written(study: Study) -> list[Path]:
    """Files below artifacts/ that belong to no complete artifact, and drafts."""
    root = study.folder / "artifacts"
    files = [path for path in root.rglob("*") if path.is_file()]
    sealed = {seal.parent for seal in root.rglob("fingerprint.json")}
    drafts = [path for path in root.rglob("*") if path.name.endswith((".draft", ".old"))]
    return drafts + [path for path in files if not sealed.intersection(path.parents)]


def test_help_lists_every_verb(uml: Uml) -> None:
    answer = uml("--help")
    assert answer.code == 0
    for verb in VERBS:
        assert f"│ {verb} " in answer.out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(uml: Uml, verb: str) -> None:
    answer = uml(verb, "--help")
    assert answer.code == 0
    assert f"uml {verb}" in answer.out


def test_graph_prints_what_dvc_yaml_holds(uml: Uml) -> None:
    from uml_pipeline.pipeline import render

    assert yaml.safe_load(uml("graph").out) == render()
    assert yaml.safe_load(uml("graph", "--no-code").out) == render(code=False)


def test_the_main_job(uml: Uml, tiny_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run, status, predict and lineage in a study's own folder; one test, to train once."""
    monkeypatch.chdir(tiny_study.folder)
    before = uml("status")
    assert (before.code, before.out.count("to do"), before.out.count("up to date")) == (0, 10, 0)

    first = uml("run")
    assert first.code == 0
    for told in ("silo@drawings", "trunk", "Accuracy on drawings", "artifacts/report/index.html", "uml predict"):
        assert told in first.out
    again = uml("run")
    assert (again.code, again.out.count("unchanged")) == (0, 10)
    after = uml("status")
    assert (after.code, after.out.count("to do"), after.out.count("up to date")) == (0, 0, 10)
    assert uml("silo", "drawings").out == "silo@drawings: unchanged\n"
    assert uml("trunk").out == "trunk: unchanged\n"

    lineage = uml("lineage")
    assert lineage.code == 0
    for step in ("model", "trunk", "features@drawings", "silo@descriptions", "data/drawings"):
        assert step in lineage.out

    exported = uml("export", "artifacts/model", "--format", "torch", "--out", tmp_path / "m.pt2")
    assert (exported.code, "the same labels on 6 samples" in exported.out) == (0, True)
    assert json.loads((tmp_path / "m.pt2.json").read_text())["checked"]["samples"] == 6
    assert uml("status").out.count("to do") == 0  # it leaves the artifact as it is

    model = shutil.move(tiny_study.folder / "artifacts" / "model", tmp_path / "shipped")
    sample = shutil.copy(tiny_study.data("drawings") / "gold-triangle" / "fay.png", tmp_path / "what.png")
    shutil.rmtree(tiny_study.folder)
    monkeypatch.chdir(tmp_path)
    told = uml("predict", model, sample, sample, "--top", 2)
    assert told.code == 0
    lines = told.out.splitlines()
    assert len(lines) == 2
    assert all(line.split()[:2] == [str(sample), "gold-triangle"] and line.count("%") == 2 for line in lines)
    refused(uml("predict", model, tmp_path / "nowhere.png"), "nowhere.png")
    refused(uml("export", model), "lies in no study", "--samples")
    assert uml("export", model, "--samples", sample, "--format", "torch").code == 0
    assert (tmp_path / "model.pt2").is_file()
    (tmp_path / "note.png").write_text("no image")
    refused(uml("predict", model, sample, tmp_path / "note.png"), "not a readable image", "note.png")
    (Path(model) / "labels.json").write_text("[]")
    refused(uml("predict", model, sample), "not what it was sealed as", "labels.json was changed", "uml model")
    seal(Path(model))
    refused(uml("predict", model, sample), "do not fit each other", "uml model")
    (Path(model) / "model.safetensors").write_bytes(b"damaged")
    seal(Path(model))
    refused(uml("predict", model, sample), "damaged", "uml model")


@pytest.fixture(scope="module")
def cellar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study whose target are the rows of a table; it has run."""
    folder = tmp_path_factory.mktemp("cellar")
    rows = [f"{1 + number / 100},{number % 7},red" for number in range(20)]
    rows += [f"{9 + number / 100},{number % 5},white" for number in range(20)]
    (folder / "wine.csv").write_text("\n".join(["acid,sugar,label", *rows]) + "\n")
    notes = [f"{word} wine {number},{word}" for word in ("red", "white") for number in range(8)]
    (folder / "notes.csv").write_text("\n".join(["text,label", *notes]) + "\n")
    silos = {"wine": {"modality": "table", "path": "wine.csv"}, "notes": {"modality": "text", "path": "notes.csv"}}
    params = {"target": "wine", "silos": silos, "trunk": {"shots": [1], "seeds": 2}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    pipeline.run(Study(folder))
    return folder


def test_a_table_is_predicted_row_by_row(cellar: Path, uml: Uml, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(cellar)
    (cellar / "new.csv").write_text("sugar,acid,vintage\n3,1.1,1999\n,9.1,2001\n")
    told = uml("predict", "artifacts/model", "new.csv", "new.csv", "--top", 1)
    assert told.code == 0
    assert [line.split()[:2] for line in told.out.splitlines()] == [["new.csv#0", "red"], ["new.csv#1", "white"]] * 2
    refused(uml("predict", "artifacts/model", "nowhere.csv"), "no such file", "nowhere.csv")
    refused(uml("predict", "artifacts/model", "notes.csv"), "no column that the model knows", "acid, sugar")


def test_scripts_get_json(cellar: Path, uml: Uml, monkeypatch: pytest.MonkeyPatch) -> None:
    """On stdout, and nothing else there."""
    monkeypatch.chdir(cellar)

    def told(*words: object) -> Any:
        answer = uml(*words, "--json")
        assert answer.code == 0, answer
        return json.loads(answer.out)

    assert told("run")["steps"]["trunk"] == "unchanged"
    assert [one["up_to_date"] for one in told("status")] == [True] * 8
    assert told("check")["problems"] == []
    assert {one["what"] for one in told("doctor")} >= {"Python", "packages", "torch", "model hub"}
    assert told("lineage")["nodes"][0]["step"] == "model"
    assert [one["differs"] for one in told("verify")] == [[]] * 6
    assert told("reproduce")["differs"] == []
    assert told("promote")["outcome"] == "promoted"
    assert [one["state"] for one in told("models")] == ["champion"]
    assert Path(told("models", "--champion")["folder"]).is_dir()
    rows = told("predict", "artifacts/model", "wine.csv", "--top", 1)
    assert [row["sample"] for row in rows] == [f"wine.csv#{place}" for place in range(40)]
    assert {row["label"] for row in rows} == {"red", "white"}
    written = told("predict", "artifacts/model", "wine.csv", "--out", "preds.csv")
    assert written == {"table": "preds.csv", "samples": 40, "recognised": 40}


def test_scripts_get_the_same_exit_codes(cellar: Path, uml: Uml, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(cellar)
    refused(uml("predict", "artifacts/model", "nowhere.csv", "--json"), "no such file")
    refused(uml("status", "--study", cellar / "nowhere", "--json"), "no params.yaml here")
    wine = (cellar / "wine.csv").read_text()
    (cellar / "wine.csv").write_text(wine + "7,7,red\n")
    changed = uml("verify", "--json")
    (cellar / "wine.csv").write_text(wine)
    assert changed.code == 1
    assert any("added" in line for one in json.loads(changed.out) for line in one["differs"])


def test_what_comes_next_can_be_typed(cellar: Path, uml: Uml, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(cellar)
    told = uml("run").out
    assert "uml predict artifacts/model wine.csv\n" in "".join(f"{line.rstrip()}\n" for line in told.splitlines())
    assert "uml ui\n" in "".join(f"{line.rstrip()}\n" for line in told.splitlines())
    page = (cellar / "artifacts" / "report" / "index.html").read_text()
    assert "uml predict artifacts/model ROWS.csv" in page
    assert "fitted" not in page


def test_ctrl_c_ends_plainly(cellar: Path, uml: Uml, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise ValueError("what DVC says of its lock when it is interrupted")

    for error in (interrupted, Mock(side_effect=KeyboardInterrupt)):
        monkeypatch.setattr(pipeline, "run", error)
        told = uml("run", "--study", cellar)
        assert (told.code, told.out) == (130, "stopped: what is done stays, and `uml run` goes on from there\n")


def test_a_folder_that_is_no_model(uml: Uml, tmp_path: Path) -> None:
    refused(uml("predict", tmp_path, "x.png"), "not a model folder", str(tmp_path))
    refused(uml("predict", tmp_path / "nowhere", "x.png"), "not a model folder")
    refused(uml("lineage", tmp_path), "no lineage.json here")


def test_commands_outside_of_a_study(uml: Uml, tmp_path: Path) -> None:
    for verb in (["run"], ["status"], ["trunk"], ["silo", "drawings"]):
        refused(uml(*verb, "--study", tmp_path), "no params.yaml here", "--study DIR")
    assert list(tmp_path.iterdir()) == []


def test_unknown_names(uml: Uml, tiny_study: Study) -> None:
    here = ("--study", tiny_study.folder)
    refused(uml("silo", "drawing", *here), "no silo 'drawing'", "did you mean 'drawings'?")
    refused(uml("features", "../data", *here), "no silo '../data'")
    assert uml("siloo", "drawings").code == 2
    assert uml("run", "--froce").code == 2


def test_a_stage_before_its_turn_says_what_to_run(uml: Uml, tiny_study: Study) -> None:
    answer = uml("trunk", "--study", tiny_study.folder)
    refused(answer)
    assert half_written(tiny_study) == []


def test_a_mistake_has_no_stack_trace_in_a_process_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "uml_pipeline", "run", "--study", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: no params.yaml here\n  where: {tmp_path}\n  to do: go to a study's folder, or name one: --study DIR\n"
    )


def test_a_bug_is_shown_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uml_pipeline.study.Study", lambda folder: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["uml", "status"])
    with pytest.raises(ZeroDivisionError):
        cli.main()


def empty_folder(study: Study) -> None:
    shutil.rmtree(study.data("drawings"))
    study.data("drawings").mkdir()
    (study.data("drawings") / "metadata.csv").write_text("file_name,artist\n")


def no_folder(study: Study) -> None:
    shutil.rmtree(study.data("drawings"))


def a_file_for_a_folder(study: Study) -> None:
    no_folder(study)
    study.data("drawings").write_text("x")


def broken_images(study: Study) -> None:
    for path in sorted(study.data("drawings").rglob("*.png"))[::5]:
        path.write_bytes(path.read_bytes()[:100])


def one_class(study: Study) -> None:
    for folder in study.data("drawings").iterdir():
        if folder.is_dir() and folder.name != "red-circle":
            shutil.rmtree(folder)
    rows = (study.data("drawings") / "metadata.csv").read_text().splitlines()
    kept = [row for row in rows if row.startswith(("file_name", "red-circle"))]
    (study.data("drawings") / "metadata.csv").write_text("\n".join(kept) + "\n")


def no_group(study: Study) -> None:
    (study.data("drawings") / "metadata.csv").unlink()


def empty_table(study: Study) -> None:
    study.data("descriptions").write_text("text,label\n")


def empty_file(study: Study) -> None:
    study.data("descriptions").write_text("")


def empty_texts(study: Study) -> None:
    lines = study.data("descriptions").read_text().splitlines()
    blank = [line if place % 5 else "  ," + line.partition(",")[2] for place, line in enumerate(lines, 1)]
    study.data("descriptions").write_text("\n".join(blank) + "\n")


def no_labels(study: Study) -> None:
    lines = study.data("descriptions").read_text().splitlines()
    bare = [line if not place else line.partition(",")[0] + "," for place, line in enumerate(lines)]
    study.data("descriptions").write_text("\n".join(bare) + "\n")


def other_column(study: Study) -> None:
    study.data("descriptions").write_text("sentence,label\na,b\n")


def no_table(study: Study) -> None:
    study.data("descriptions").unlink()


def not_utf8(study: Study) -> None:
    study.data("descriptions").write_bytes(b"text,label\ncaf\xe9,red-circle\n")


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Study], None]:
    def spoil(study: Study) -> None:
        path = study.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        change(params)
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    return spoil


BAD_INPUT = {
    "an empty silo": (empty_folder, ["the silo is empty"]),
    "a folder that is not there": (
        no_folder,
        ["silo path 'data/drawings' does not exist", "silo 'drawings': ", "correct `path` in params.yaml"],
    ),
    "a file where a folder should be": (a_file_for_a_folder, ["unsupported file type", "give a folder"]),
    "too many unreadable images": (broken_images, ["'drawings' is refused", "the image is truncated: 8", "max_bad"]),
    "a single class": (one_class, ["'drawings' is refused", "at least two classes"]),
    "no groups": (no_group, ["metadata.csv", "file_name,artist"]),
    "a table without rows": (empty_table, ["the silo is empty"]),
    "an empty file": (empty_file, ["the table is empty"]),
    "too many empty texts": (empty_texts, ["'descriptions' is refused", "empty text: 6"]),
    "texts without labels": (no_labels, ["'descriptions' is refused", "no label: 30"]),
    "another column": (other_column, ["no text column 'text'", "sentence, label"]),
    "a table that is not there": (no_table, ["silo path 'data/descriptions.csv' does not exist"]),
    "another encoding": (not_utf8, ["the table cannot be read", "UTF-8"]),
    "a typo": (edited(lambda p: p["trunk"].update(shot=[1])), ["unknown key 'trunk.shot'", "line", "did you mean"]),
    "an unknown encoder": (
        edited(lambda p: p["silos"]["drawings"].update(encoder="builtin/emojy")),
        ["builtin/emojy", "silo 'drawings'", "did you mean 'builtin/emoji'"],
    ),
    "too few seeds": (edited(lambda p: p["trunk"].update(seeds=2)), ["seeds are too few", "trunk.seeds"]),
}


@pytest.mark.parametrize(("spoil", "words"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_refused_and_nothing_is_half_written(
    uml: Uml, tiny_study: Study, spoil: Callable[[Study], None], words: list[str]
) -> None:
    spoil(tiny_study)
    refused(uml("run", "--study", tiny_study.folder), *words)
    assert half_written(tiny_study) == []
    again = uml("run", "--study", tiny_study.folder)  # what was refused is not recorded as done
    refused(again, *words)


def test_a_few_bad_samples_and_a_class_without_any_do_not_stop_the_run(uml: Uml, tiny_study: Study) -> None:
    (tiny_study.data("drawings") / "unheard-of").mkdir()
    (tiny_study.data("drawings") / "red-circle" / "ada.png").write_bytes(b"broken")
    with tiny_study.data("descriptions").open("a") as file:
        file.write(",red-circle\na thing of no class the target has,unknown\n")
    answer = uml("run", "--study", tiny_study.folder)
    assert answer.code == 0
    drawings, texts = (
        (tiny_study.folder / "artifacts" / "silo" / name / "quality.json").read_text()
        for name in ("drawings", "descriptions")
    )
    assert "missing: unheard-of" in drawings
    assert '"not a readable image": 1' in drawings
    assert '"empty text": 1' in texts
    labels = (tiny_study.folder / "artifacts" / "model" / "labels.json").read_text()
    assert "unheard-of" not in labels
    assert "unknown" not in labels
    assert "red-circle" in labels
