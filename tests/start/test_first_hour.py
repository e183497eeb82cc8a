"""A new user's first hour, by the command line: a study of her own, a look before running, a typo, the machine."""

import importlib
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml

from uml_pipeline import cli, pipeline
from uml_pipeline.start import doctor
from uml_pipeline.study import Study

Uml = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module", autouse=True)
def _dvc() -> None:
    """DVC keeps the stderr that it was first imported under: not one that ends with a test."""
    importlib.import_module("dvc.repo")


@pytest.fixture
def uml(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Uml:
    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["uml", *map(str, words)])
        monkeypatch.setattr(cli.console, "width", 200, raising=False)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return call


@pytest.fixture
def mine(tiny_study: Study, tmp_path: Path) -> Path:
    """A folder with data and nothing else."""
    folder = tmp_path / "mine"
    shutil.copytree(tiny_study.data("drawings"), folder / "pictures")
    (folder / "pictures" / "metadata.csv").unlink()
    shutil.copy(tiny_study.data("descriptions"), folder / "notes.csv")
    return folder


def test_from_a_folder_of_data_to_a_study_that_runs(uml: Uml, mine: Path) -> None:
    code, out, _ = uml("init", mine, "--target", "pictures", "--silo", "notes.csv")
    assert code == 0
    assert "uml check" in out
    params = yaml.safe_load((mine / "params.yaml").read_text())
    assert {name: one["modality"] for name, one in params["silos"].items()} == {"pictures": "image", "notes": "text"}
    assert yaml.safe_load((mine / "dvc.yaml").read_text()) == pipeline.render(code=False)
    assert (mine / ".dvc").is_dir()
    assert (mine / ".git").is_dir()
    ignored = subprocess.run(
        ["git", "-C", mine, "check-ignore", ".uml/x", "artifacts/x"], capture_output=True, check=True
    )
    assert len(ignored.stdout.splitlines()) == 2

    written = (mine / "params.yaml").read_text()
    (mine / "params.yaml").write_text(written.replace("timm/vit_small_patch14_dinov2.lvd142m", "builtin/emoji"))
    code, out, _ = uml("check", "--study", mine)
    assert (code, "ready: `uml run`" in out) == (0, True)
    code, out, _ = uml("check", "--study", mine, "--json")
    found = json.loads(out)
    assert [one["samples"] for one in found["silos"]] == [36, 30]
    assert [one["shared"] for one in found["silos"]] == [6, 6]
    assert all(one["seconds"] > 0 for one in found["steps"] if one["step"] != "report")
    assert not (mine / "artifacts").exists(), "nothing ran"
    pipeline.run(Study(mine), only=["silo", "features"])
    found = json.loads(uml("check", "--study", mine, "--json")[1])
    assert {one["step"] for one in found["steps"] if one["seconds"] == 0} == {
        *("silo@pictures", "silo@notes", "features@pictures", "features@notes")
    }


class Typed(io.StringIO):
    """What somebody types at a terminal."""

    def isatty(self) -> bool:
        return True


def test_asked_a_wrong_answer_costs_no_other(uml: Uml, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(mine)
    monkeypatch.setattr("sys.stdin", Typed("picture\npictures\ny\nnowhere.csv\nnotes.csv\n\n"))
    code, out, err = uml("init", "--no-git")
    assert code == 0
    assert "did you mean 'pictures'?" in out + err
    assert "pictures: image, the target" in out
    assert list(yaml.safe_load((mine / "params.yaml").read_text())["silos"]) == ["pictures", "notes"]
    monkeypatch.setattr("sys.stdin", Typed(""))
    code, _, err = uml("init")
    assert (code, "is a study already" in err) == (2, True), "before anything is asked"


def test_a_study_is_never_overwritten(uml: Uml, mine: Path) -> None:
    (mine / "params.yaml").write_text("mine")
    code, _, err = uml("init", mine, "--target", "pictures")
    assert (code, "is a study already" in err) == (2, True)
    assert (mine / "params.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--target", "nowhere"], "there is nothing"),
        (["--target", "pictures", "--silo", "pictures=notes.csv"], "two silos are called"),
        (["--target", "=x"], "is no silo"),
        ([], "which silo is the target?"),
    ],
)
def test_what_cannot_be_made_leaves_nothing(
    uml: Uml, mine: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], why: str
) -> None:
    monkeypatch.setattr("sys.stdin", Mock(isatty=lambda: False))
    before = sorted(mine.rglob("*"))
    code, _, err = uml("init", mine, *words)
    assert (code, why in err, "to do:" in err) == (2, True, True)
    assert sorted(mine.rglob("*")) == before


def test_places_for_data_still_to_come(uml: Uml, tmp_path: Path) -> None:
    code, _, _ = uml("init", tmp_path / "new", "--no-git", "--target", "shots=image", "--silo", "guide=text")
    assert code == 0
    assert (tmp_path / "new" / "data" / "shots").is_dir()
    assert (tmp_path / "new" / "data" / "guide.csv").read_text() == "text,label\n"
    assert not (tmp_path / "new" / ".git").exists()
    code, out, _ = uml("check", "--study", tmp_path / "new")
    assert code == 1
    assert "the target has 0 class(es)" in out


def test_what_would_stop_a_run_is_told_before_it(uml: Uml, tiny_study: Study) -> None:
    notes = tiny_study.data("drawings") / "metadata.csv"
    notes.write_text("".join(line for line in notes.read_text().splitlines(True) if not line.startswith("red-circle")))
    shutil.rmtree(tiny_study.data("drawings") / "red-circle")
    tiny_study.data("scrambled").unlink()
    params = tiny_study.folder / "params.yaml"
    params.write_text(params.read_text().replace("encoder: builtin/minilm", "encoder: builtin/minilmm", 1))
    code, out, _ = uml("check", "--study", tiny_study.folder)
    assert code == 1
    for told in (
        "silo 'scrambled'",
        "does not exist",
        "did you mean 'builtin/minilm'",
        "not ready",
        "1 class that the target has not",
    ):
        assert told in out


def test_a_few_bad_samples_stop_nothing(uml: Uml, tiny_study: Study) -> None:
    (tiny_study.data("drawings") / "red-circle" / "ada.png").write_bytes(b"broken")
    code, out, _ = uml("check", "--study", tiny_study.folder)
    assert (code, "ready: `uml run`" in out) == (0, True)
    assert "drawings: of 36 samples that were tried, 1 will be set aside: not a readable image" in out
    for path in tiny_study.data("drawings").rglob("*.png"):
        path.write_bytes(b"broken")
    code, out, _ = uml("check", "--study", tiny_study.folder)
    assert (code, "none of 36 samples that were tried is any good" in out) == (1, True)


def test_the_machine(uml: Uml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_hub", lambda: doctor.Finding("model hub", "cannot be reached", False, "see to it"))
    code, out, _ = uml("doctor", "--study", tmp_path, "--json")
    found = {one["what"]: one for one in json.loads(out)}
    assert code == 0, "a hub out of reach stops nobody who needs none"
    assert found["packages"]["well"]
    assert found["torch"]["well"]
    mixed = Mock(side_effect=RuntimeError("operator torchvision::nms does not exist"))
    monkeypatch.setattr(doctor, "import_module", mixed)
    code, out, _ = uml("doctor", "--study", tmp_path)
    assert code == 1
    assert "torchvision::nms does not exist" in out
    assert "install them anew, together" in out
