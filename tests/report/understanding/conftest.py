"""Studies up to the report's door: one trained once a session, one whose artifacts were written by hand."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.conftest import CLASSES, PARAMS, _describe, _draw, before_trunk
from tests.report.conftest import trunk_metrics, write_study
from uml_pipeline.pipeline import Step, call
from uml_pipeline.study import Study


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The tiny study up to its model."""
    folder = tmp_path_factory.mktemp("understanding") / "study"
    _draw(folder / "data" / "drawings")
    _describe(folder / "data" / "descriptions.csv", CLASSES)
    _describe(folder / "data" / "scrambled.csv", [*CLASSES[2:], *CLASSES[:2]])
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False))
    study = before_trunk(Study(folder))
    call(study, Step("trunk"))
    call(study, Step("model"))
    return study


@pytest.fixture
def modelled(trained: Study, tmp_path: Path) -> Study:
    """A copy of it, to change and to report on."""
    return Study(shutil.copytree(trained.folder, tmp_path / "copy"))


@pytest.fixture
def written(tmp_path: Path) -> Study:
    """A study whose artifacts were written by hand: no model in it can be opened."""
    return write_study(tmp_path / "study", trunk_metrics())
