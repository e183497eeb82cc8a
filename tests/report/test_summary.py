import io
import json
from collections.abc import Callable

import pytest
from rich.console import Console

from uml_pipeline.report.summary import show
from uml_pipeline.study import Study

Make = Callable[..., Study]


def printed(study: Study, width: int = 80) -> str:
    out = io.StringIO()
    show(study, Console(file=out, width=width, highlight=False, color_system=None))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_fits_and_tells_without_colour(make: Make, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    study = make()
    monkeypatch.chdir(study.folder)
    text = printed(study, width)
    assert max(map(len, text.splitlines())) <= width
    for part in (
        "53.3 ± 4.3*",
        "against Unimodal probe",
        " +2.7  (+1.9 to +3.5)    better",
        "no clear difference",
        "descriptions  helps  expected +1.5 (+0.6 to +2.4)  p = 0.001  used",
        "scrambled     harms  expected 0.0 (−0.5 to +0.5)   p = 0.6    not used",
        "2 of 1986 samples set aside: unreadable image: 2 (cat.png, …)",
        "UML helps.",
        "ships: “UML, text prior”",
        "artifacts/report/index.html",
        "uml predict artifacts/model data/drawings/alembic/noto.png",
        "uml lineage artifacts/model",
        "uml ui",
    ):
        assert part in text


def test_from_elsewhere_paths_are_whole(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    study = make()
    monkeypatch.chdir("/")
    assert str(study.folder / "artifacts/model").lstrip("/") in printed(study, 300)


def test_says_so_where_it_does_not_help(make: Make) -> None:
    text = printed(make(lift=-2.7, noise=9))
    assert "UML does not help here" in text
    assert "ships: “Unimodal probe”" in text


def test_a_class_of_the_target_that_is_never_tested_is_told(make: Make) -> None:
    study = make()
    path = study.folder / "artifacts/silo/drawings/quality.json"
    quality = json.loads(path.read_text())
    failed = {"name": "contain", "column": "class_on_all_sides", "asks": "every class has samples on every side"}
    quality["expectations"].append(failed | {"passed": False, "severity": "info", "observed": "missing: cat"})
    path.write_text(json.dumps(quality))
    assert "drawings: not every class has samples on every side (missing: cat)" in printed(study)


def test_square_brackets_are_no_markup(make: Make) -> None:
    study = make()
    path = study.folder / "artifacts/trunk/metrics.json"
    path.write_text(path.read_text().replace("Class mean", "[red]Class[/red] mean"))
    assert "[red]Class[/red] mean" in printed(study, 120)
