"""`uml theory`: what it prints and draws, and how it answers a mistake."""

import json
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import yaml

from uml_pipeline import cli
from uml_pipeline.theory import efficient, joint_variance
from uml_pipeline.theory.calculator import answer
from uml_pipeline.theory.config import EXAMPLE, read_model

Uml = Callable[..., tuple[int, str, str]]
SILO = {"samples": 10, "noise": 2.0}
IDENTITY = {"common": [[1, 0], [0, 1]]}


@pytest.fixture
def uml(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Uml:
    """`uml("exchange", "grid.csv")`: exit code, output, errors of `uml theory …`, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli.console, "width", 200, raising=False)

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["uml", "theory", *map(str, words)])
        monkeypatch.setenv("COLUMNS", "200")
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        assert "Traceback" not in told.out + told.err
        return int(ended.value.code or 0), told.out, told.err

    return call


def refused(told: tuple[int, str, str], *words: str) -> None:
    code, _, err = told
    assert code == 2
    assert "\n  where: " in err
    assert "\n  to do: " in err
    for word in words:
        assert word in err


def save(model: object, name: str = "model.json") -> str:
    Path(name).write_text(json.dumps(model))
    return name


def row(out: str, name: str) -> list[str]:
    """The cells of a table's row."""
    return next(line.split() for line in out.splitlines() if line.split()[:1] == [name])[1:]


def test_without_a_model_an_example_is_answered_and_printed(uml: Uml) -> None:
    code, out, _ = uml()
    assert code == 0
    assert EXAMPLE in out
    assert row(out, "d4")[0] == "∞"
    assert "blind in 1 of 4 dimensions; the auxiliary silo opens 1, and 0 stay blind" in out
    assert "Unit weights harm along 1 of the 3 directions" in out
    Path("own.yaml").write_text(EXAMPLE)
    assert uml("--model", "own.yaml")[1] in out


def test_the_model_in_the_help_is_one(uml: Uml) -> None:
    code, out, _ = uml("--help")
    assert code == 0
    lines = [line.rstrip() for line in out.splitlines()]
    first = next(place for place, line in enumerate(lines) if line.startswith(" common:"))
    last = next(place for place, line in enumerate(lines) if line.startswith(" seed:"))
    Path("help.yaml").write_text(dedent("\n".join(lines[first : last + 1])))
    code, out, _ = uml("--model", "help.yaml")
    assert code == 0
    assert len(row(out, "contrast")) == 6


def test_numbers_are_the_library_s(uml: Uml) -> None:
    found = read_model(None)
    target, auxiliary = found.build()
    lines = answer(target, auxiliary, {}).lines
    for line in lines:
        assert line.unit == joint_variance(target, auxiliary, line.direction, 1.0)
        assert line.weighted == (efficient(target) + efficient(auxiliary)).variance(line.direction)
    out = uml()[1]
    for line in lines[:3]:
        told = row(out, line.name)
        assert [float(cell) for cell in told] == pytest.approx(
            [line.target, line.auxiliary, line.weighted, line.unit, line.rate, line.worth], rel=0.01
        )


def test_a_design_written_out(uml: Uml) -> None:
    """By hand: information 10 / 4 and 10; a direction that nobody sees; own unknowns that absorb the common ones."""
    target = SILO | {"design": {"common": [[1, 0, 0]]}}
    auxiliary = {"samples": 10, "design": {"common": [[1, 0, 0], [0, 1, 0]]}}
    directions = {"second": [0, 2, 0], "sum": [0, 1, 1]}
    model = {"common": 3, "target": target, "auxiliary": auxiliary, "directions": directions}
    out = uml("--model", save(model))[1]
    assert row(out, "d1") == ["0.4", "0.1", "0.08", "0.125", "4", "40"]
    assert row(out, "second") == ["∞", "0.4", "0.4", "0.4", "∞", "∞"]
    assert row(out, "sum") == ["∞"] * 4 + ["-", "-"]
    assert "the auxiliary silo opens 1, and 1 stay blind" in out
    absorbed = auxiliary | {"design": {"common": [[1, 0, 0], [0, 1, 0]], "own": [[1, 0], [0, 1]]}}
    out = uml("--model", save(model | {"auxiliary": absorbed}))[1]
    assert row(out, "d1") == ["0.4", "∞", "0.4", "0.4", "0", "0"]
    assert "Unit weights harm along 0 of the 1 directions" in out


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ([], ["valid dictionary"]),
        ({"common": 2, "target": SILO}, ["auxiliary: Field required"]),
        ({"common": 2, "target": SILO | {"sample": 1}, "auxiliary": SILO}, ["target.sample", "not permitted"]),
        ({"common": 0, "target": SILO, "auxiliary": SILO}, ["common: ", "greater than"]),
        ({"common": 2, "target": SILO | {"noise": 0}, "auxiliary": SILO}, ["target.noise"]),
        ({"common": 2, "target": SILO | {"noise": float("nan")}, "auxiliary": SILO}, ["target.noise"]),
        ({"common": 2, "target": SILO | {"samples": 1.5}, "auxiliary": SILO}, ["target.samples"]),
        ({"common": 2, "target": SILO | {"strength": [1]}, "auxiliary": SILO}, ["target.strength", "2 are needed"]),
        ({"common": 2, "target": SILO | {"strength": [1, -1]}, "auxiliary": SILO}, ["target.strength.1"]),
        ({"common": 2, "target": SILO | {"strength": [1, 1e-9]}, "auxiliary": SILO}, ["target.strength.1", "0.0001"]),
        ({"common": 3, "target": SILO, "auxiliary": SILO | {"design": IDENTITY}}, ["auxiliary.design.common"]),
        ({"common": 2, "target": SILO | {"design": IDENTITY, "own": 1}, "auxiliary": SILO}, ["remove own"]),
        (
            {"common": 2, "target": SILO | {"design": IDENTITY | {"own": [[1]]}}, "auxiliary": SILO},
            ["2 are needed, not 1"],
        ),
        (
            {"common": 2, "target": SILO | {"design": IDENTITY | {"own": [[1], [1, 2]]}}, "auxiliary": SILO},
            ["design.own"],
        ),
        ({"common": 2, "target": SILO, "auxiliary": SILO, "directions": {"v": [1]}}, ["directions.v"]),
        ({"common": 2, "target": SILO, "auxiliary": SILO, "directions": {"v": [0, 0]}}, ["no direction"]),
    ],
)
def test_a_model_that_is_none(uml: Uml, model: object, words: list[str]) -> None:
    refused(uml("--model", save(model)), "model.json", *words)


def test_files_that_cannot_be_read_or_written(uml: Uml) -> None:
    refused(uml("--model", "nowhere.yaml"), "cannot be read", "nowhere.yaml")
    refused(uml("--model", "."), "cannot be read")
    Path("broken.yaml").write_text("common: [")
    refused(uml("--model", "broken.yaml"), "not valid YAML")
    refused(uml("--figure", "no/folder/x.svg"), "cannot be written", "no/folder/x.svg")
    refused(uml("--figure", "x.svg", "exchange", "grid.csv"), "two things")


@pytest.mark.parametrize("strengths", [(None, None), ([1, 0], [0, 1]), ([0, 0], [1, 0]), ([0, 0], [0, 0])])
def test_a_figure_of_whatever_is_seen(uml: Uml, strengths: tuple) -> None:
    target, auxiliary = (SILO | ({"strength": one} if one else {}) for one in strengths)
    code, _, _ = uml("--model", save({"common": 2, "target": target, "auxiliary": auxiliary}), "--figure", "x.svg")
    assert code == 0
    text = Path("x.svg").read_text()
    assert ET.fromstring(text).tag.endswith("svg")
    assert "both, unit weights" in text
    assert "mathdefault" not in text


def test_the_figure_of_the_docs_is_what_the_command_draws(uml: Uml) -> None:
    uml("--figure", "now.svg")
    shown = [path.read_text() for path in (Path("now.svg"), Path(__file__).parents[2] / "docs" / "theory.svg")]
    numbers = [
        np.array(re.findall(r"(?<![#\w])-?\d+\.?\d*", text[text.index('id="axes_1"') :]), float) for text in shown
    ]
    assert len(numbers[0]) == len(numbers[1])
    assert numbers[0] == pytest.approx(numbers[1], abs=0.5)  # of a point: linear algebra differs by machine


def grid(name: str, line: Callable[[int, int], str], head: str = "target,auxiliary,accuracy") -> str:
    rows = [line(shots, texts) for shots in (1, 2, 4, 8) for texts in (0, 5, 10, 30)]
    Path(name).write_text("\n".join([head, *rows]) + "\n")
    return name


def test_exchange(uml: Uml) -> None:
    near = grid("near.csv", lambda shots, texts: f"{shots},{texts},{50 + 2 * shots + texts / 5}")
    code, out, _ = uml("exchange", near)
    assert code == 0
    assert "One target sample is worth 10 auxiliary samples (95% interval 10 to 10)." in out
    assert "extrapolation" not in out
    far = grid("far.csv", lambda shots, texts: f"{shots},{texts},{50 + 8 * shots + texts / 10}")
    assert (
        "varies by 30 auxiliary samples alone: the rate, or its interval, is an extrapolation"
        in uml("exchange", far)[1]
    )


def test_exchange_refuses(uml: Uml) -> None:
    refused(uml("exchange", "nowhere.csv"), "cannot be read")
    Path("empty.csv").write_text("")
    refused(uml("exchange", "empty.csv"), "cannot be read")
    refused(uml("exchange", grid("a.csv", lambda x, y: f"{x},{y}", "target,auxiliary")), "no column 'accuracy'")
    refused(uml("exchange", grid("b.csv", lambda x, y: f"{x},{y},high")), "not a number", "row 1", "accuracy")
    refused(uml("exchange", grid("c.csv", lambda x, y: f"{x},3,50")), "on a line", "measure a grid")
    one = grid("d.csv", lambda x, y: f"{x},{y},50,1", "target,auxiliary,accuracy,draw")
    refused(uml("exchange", one), "one draw")


def test_the_example_is_plain_yaml() -> None:
    assert yaml.safe_load(EXAMPLE)["common"] == 4
