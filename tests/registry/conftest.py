"""The tiny study with a gate, trained once a session; and ways to make another model of its model."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file, save_file

from tests.conftest import CLASSES, PARAMS, _describe, _draw, before_trunk
from uml_pipeline.pipeline import Step, call
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace

GATE = 0.3
"""Share at which the hashes of the six artists put two of them into the gate."""


def train(study: Study) -> Study:
    """All stages up to the model."""
    before_trunk(study)
    call(study, Step("trunk"))
    call(study, Step("model"))
    return study


def write(folder: Path, gate: float) -> Study:
    """The tiny study, its data and parameters."""
    _draw(folder / "data" / "drawings")
    _describe(folder / "data" / "descriptions.csv", CLASSES)
    _describe(folder / "data" / "scrambled.csv", [*CLASSES[2:], *CLASSES[:2]])
    silos = PARAMS["silos"] | {"drawings": PARAMS["silos"]["drawings"] | {"gate": gate}}
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS | {"silos": silos}, sort_keys=False))
    return Study(folder)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], Path]:
    """`trained(gate)`: the folder of the trained study; nobody may write there."""
    folders: dict[float, Path] = {}

    def folder(gate: float) -> Path:
        if gate not in folders:
            folders[gate] = train(write(tmp_path_factory.mktemp("trained") / "study", gate)).folder
        return folders[gate]

    return folder


@pytest.fixture
def study(trained: Callable[[float], Path], tmp_path: Path) -> Study:
    """A copy of it, with a gate."""
    return Study(shutil.copytree(trained(GATE), tmp_path / "study"))


@pytest.fixture
def gateless(trained: Callable[[float], Path], tmp_path: Path) -> Study:
    """A copy of it, without a gate."""
    return Study(shutil.copytree(trained(0), tmp_path / "study"))


def rewrite(study: Study, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """artifacts/model with another matrix [class, d]."""
    with Workspace(study.folder).writing("model") as draft:
        shutil.copytree(study.folder / "artifacts/model", draft, dirs_exist_ok=True)
        weights = load_file(draft / "model.safetensors")
        save_file(weights | {"weight": np.ascontiguousarray(change(weights["weight"]))}, draft / "model.safetensors")


def another(study: Study, number: int = 1) -> None:
    """A model that says the same, with other bytes."""
    rewrite(study, lambda weight: weight * np.float32(1 + number / 100))


def worse(study: Study) -> None:
    """A model that takes every class for its neighbour."""
    rewrite(study, lambda weight: np.roll(weight, 1, axis=0))
