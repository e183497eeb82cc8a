import json
import re

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.conftest import CLASSES
from tests.registry.conftest import another, worse
from uml_pipeline.cli.app import app, console
from uml_pipeline.errors import UserError
from uml_pipeline.registry import champion
from uml_pipeline.study import Study


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "width", 200, raising=False)


def uml(study: Study, *words: str) -> Result:
    import uml_pipeline.cli  # noqa: F401  adds the verbs

    return CliRunner().invoke(app, [*words, "--study", str(study.folder)])


def states(study: Study) -> list[tuple[int | None, str]]:
    """Release and state of each model; the table for people names the states in the same order."""
    told = json.loads(uml(study, "models", "--json").stdout)
    shown = re.findall("champion *$|earlier *$|refused *$|taken back *$", uml(study, "models").stdout, re.MULTILINE)
    assert [one.strip() for one in shown] == [one["state"] for one in told]
    return [(one["release"], one["state"]) for one in told]


def test_a_life_of_releases(study: Study) -> None:
    with pytest.raises(UserError, match="no model is released yet"):
        raise uml(study, "models", "--champion").exception or AssertionError
    assert uml(study, "promote").stdout == "promoted: the first release\n"
    another(study)
    assert uml(study, "promote").exit_code == 0
    worse(study)
    refused = uml(study, "promote")
    assert refused.exit_code == 1
    assert refused.stdout.startswith("refused: worse than the champion: \N{MINUS SIGN}")
    assert states(study) == [(1, "earlier"), (2, "champion"), (None, "refused")]
    assert "release 1 again" in uml(study, "rollback").stdout
    assert states(study) == [(1, "champion"), (2, "taken back"), (None, "refused")]
    folder = uml(study, "models", "--champion").stdout.strip()
    now = champion(study)
    assert now is not None
    assert folder == str(now.folder)
    picture = study.folder / "data/drawings" / CLASSES[0] / "ada.png"
    assert CliRunner().invoke(app, ["predict", folder, str(picture)]).stdout.startswith(str(picture))


def test_verify_says_what_differs_and_so_does_its_exit_code(study: Study) -> None:
    model = str(study.folder / "artifacts/model")
    same = uml(study, "verify", model)
    assert (same.exit_code, "changed" in same.stdout) == (0, False)
    (study.folder / "data/drawings" / CLASSES[0] / "ada.png").write_bytes(b"\x1b[2J")
    changed = uml(study, "verify", model)
    assert changed.exit_code == 1
    assert f"cannot be read: data/drawings/{CLASSES[0]}/ada.png" in changed.stdout
    with pytest.raises(UserError, match="not those that the model was made from"):
        raise uml(study, "reproduce", model).exception or AssertionError
