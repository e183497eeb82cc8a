"""What Tab offers, asked as bash and zsh ask."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from uml_pipeline import cli
from uml_pipeline.registry import book
from uml_pipeline.registry.records import Decision
from uml_pipeline.study import Study

Tab = Callable[[str], str]


@pytest.fixture(params=["bash", "zsh"])
def tab(
    request: pytest.FixtureRequest, tiny_study: Study, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> Tab:
    """`tab("uml silo dr")`: what the shell is told when Tab is typed there, in the study's folder."""
    monkeypatch.chdir(tiny_study.folder)
    monkeypatch.setenv("_UML_COMPLETE", f"complete_{request.param}")

    def asked(line: str) -> str:
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - (not line.endswith(" "))))
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
        monkeypatch.setattr(sys, "argv", ["uml"])
        with pytest.raises(SystemExit):
            cli.main()
        return capsys.readouterr().out

    return asked


def test_verbs_and_options(tab: Tab) -> None:
    offered = tab("uml pr")
    assert "predict" in offered
    assert "promote" in offered
    assert "--force" in tab("uml run --")


def test_names_of_silos(tab: Tab) -> None:
    assert all(name in tab("uml silo ") for name in ("drawings", "descriptions", "scrambled"))
    offered = tab("uml features d")
    assert "drawings" in offered
    assert "scrambled" not in offered


def test_of_another_study(tab: Tab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = Path.cwd()
    monkeypatch.chdir(tmp_path)
    assert "drawings" in tab(f"uml silo --study {folder} ")
    assert "drawings" not in tab("uml silo "), "there is no study here, and no stack trace either"


def test_numbers_of_releases_and_folders_of_models(tab: Tab) -> None:
    study = Study()
    (study.folder / "registry").mkdir()
    for number in (1, 2):
        digest = str(number) * 64
        decision = Decision(
            when=datetime(2026, 1, number, tzinfo=UTC),
            outcome="promoted",
            challenger=digest,
            champion=None,
            number=number,
            reason="$(touch x)",
        )
        book.write(study, decision)
        (study.folder / "registry" / "models" / f"000{number}-{digest[:12]}").mkdir(parents=True)
    offered = tab("uml rollback ")
    assert "1" in offered
    assert offered.index("2") < offered.index("1"), "newest first"
    assert "touch" not in offered, "zsh evaluates what it is told"
    (study.folder / "artifacts" / "model").mkdir(parents=True)
    assert "artifacts/model" in tab("uml lineage ")
    assert "registry/models/0002-222222222222" in tab("uml predict regis")
