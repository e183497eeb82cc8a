"""The reference leaves nothing out: every public name, every verb, every key of params.yaml."""

import pkgutil
import re
import sys
from importlib import import_module

import pytest
from typer.main import get_command

import uml_pipeline
from tests.docs.guides import PAGES, ROOT
from uml_pipeline.cli import app
from uml_pipeline.study import Params

INNER = {"uml_pipeline.cli", "uml_pipeline.report.live", "uml_pipeline.report.robustness"}  # nobody's interface


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    yield import_module("_reference")
    del sys.modules["_reference"]


def test_every_room_with_public_names_has_a_page() -> None:
    shown = {name for page in PAGES.values() for name in re.findall(r"^::: (\S+)", page, re.M)}
    packages = {one.name for one in pkgutil.walk_packages(uml_pipeline.__path__, "uml_pipeline.") if one.ispkg}
    assert {name for name in packages if hasattr(import_module(name), "__all__")} - INNER <= shown


def test_every_verb_is_told(reference) -> None:
    page = reference.commands()
    assert all(f"## `uml {verb}`" in page for verb in get_command(app).commands)
    assert "**Commands**" not in page
    assert "\n    uml init --target photos --silo notes.csv\n" in page


def test_every_key_is_told(reference) -> None:
    page = reference.parameters()
    assert all(f"`{key}`" in page or f"## {key}" in page for key in Params.model_fields)
    assert "| `shots` | list of integer > 0 | `[1, 2, 4]` | Labelled target samples a class;" in page
    assert "| `gate` | number ≥ 0, < 1 | `0` | Target: share of samples" in page
    assert "## trunk.ssl.network" in page
