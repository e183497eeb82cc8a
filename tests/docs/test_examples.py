"""Every example of the guides runs: Python in a study that has run, parameters through the study's own reader."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.docs.guides import PAGES, blocks
from tests.model.shipped import LABELS, pictures, shipped
from uml_pipeline.pipeline import run
from uml_pipeline.study import Params, Study

PLUGIN = "docs/encoders.md"  # tests/features/test_plugins.py installs that one
PYTHON = {page: blocks(page, "python") for page in PAGES if page != PLUGIN and blocks(page, "python")}
IN_A_STUDY = {page for page in PYTHON if page.startswith("docs/api/")} - {"docs/api/learn.md", "docs/api/theory.md"}
PARAMETERS = [
    (page, block)
    for page in PAGES
    for block in blocks(page, "yaml")
    if {*yaml.safe_load(block)} <= {*Params.model_fields}
]


def execute(page: str, **given: object) -> None:
    """A page's blocks, which follow one another."""
    for place, example in enumerate(PYTHON[page], 1):
        exec(compile(example, f"{page}, example {place}", "exec"), given)


@pytest.mark.parametrize("page", sorted(PYTHON.keys() - IN_A_STUDY))
def test_python_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a shipped model, or nothing."""
    monkeypatch.chdir(tmp_path)
    files = pictures(tmp_path / "pictures", 18)
    for name in ("a.jpg", "b.jpg", "new.jpg"):
        shutil.copy(files[0], name)
    (tmp_path / "artifacts").mkdir()
    shipped(tmp_path / "artifacts" / "model", "image", "builtin/emoji")
    execute(page, files=files, labels=np.resize(LABELS, len(files)))


@pytest.mark.slow
def test_python_runs_in_a_study(tiny_study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """All pages in one, for it has to run first."""
    params = yaml.safe_load((tiny_study.folder / "params.yaml").read_text())
    params |= {"trunk": {"shots": [1], "seeds": 4, "exchange": {"splits": 0}}, "report": {"robustness": 0}}
    (tiny_study.folder / "params.yaml").write_text(yaml.safe_dump(params))
    run(Study(tiny_study.folder))
    monkeypatch.chdir(tiny_study.folder)
    for page in sorted(IN_A_STUDY):
        execute(page)


@pytest.mark.parametrize(("page", "block"), PARAMETERS)
def test_parameters_are_accepted(page: str, block: str, tmp_path: Path) -> None:
    shown = yaml.safe_load(block)
    silos = {"photos": {"modality": "image", "path": "photos"}} | shown.get("silos", {})
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"target": "photos"} | shown | {"silos": silos}))
    Study(tmp_path)


def test_examples_are_found_at_all() -> None:
    assert {"docs/model.md", "docs/api/study.md"} <= PYTHON.keys()
    assert {"docs/probe.md", "docs/scale-out.md"} <= {page for page, _ in PARAMETERS}
