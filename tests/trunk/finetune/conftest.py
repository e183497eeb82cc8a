"""The tiny study with a tiny timm network as its target's encoder; its stages before the trunk run once a session."""

import copy
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
import yaml
from safetensors.torch import save_file

from tests.conftest import CLASSES, PARAMS, _describe, _draw, before_trunk
from tests.one_core import one_core
from uml_pipeline.study import Study

__all__ = ["one_core"]
FAST = {"steps": 6, "look_every": 3, "warm_up": 2, "batch": 6, "auxiliary_batch": 8, "alphas": [1.0], "patience": 9}
FAST |= {"probe_steps": 4, "arms": ["unimodal", "uml", "uml_init"]}


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The study up to the trunk's door, encoded by timm's test_vit with random weights."""
    folder = tmp_path_factory.mktemp("finetune") / "study"
    _draw(folder / "data" / "drawings")
    _describe(folder / "data" / "descriptions.csv", CLASSES)
    params = copy.deepcopy(PARAMS)
    del params["silos"]["scrambled"]
    params["silos"]["drawings"] |= encoder_of("test_vit") | {"group": None}
    params["trunk"] = {"mode": "finetune", "shots": [1], "seeds": 2, "finetune": FAST}
    return before_trunk(write(folder, params))


@pytest.fixture
def tuned(prepared: Study, tmp_path: Path) -> Callable[..., Study]:
    """`tuned(trunk={...}, **finetune)`: a copy of the prepared study with other keys of the trunk."""

    def make(trunk: dict | None = None, **finetune: object) -> Study:
        folder = tmp_path / f"study{len(list(tmp_path.iterdir()))}"
        shutil.copytree(prepared.folder, folder)
        params = yaml.safe_load((folder / "params.yaml").read_text())
        params["trunk"] |= {"finetune": FAST | finetune} | (trunk or {})
        return write(folder, params)

    return make


@pytest.fixture
def with_silo() -> Callable[..., Study]:
    """`with_silo(study, name, **keys)`: that silo with other keys, the stages before the trunk run again."""

    def make(study: Study, name: str, **keys: object) -> Study:
        params = yaml.safe_load((study.folder / "params.yaml").read_text())
        params["silos"][name] = params["silos"].get(name, {}) | keys
        return before_trunk(write(study.folder, params))

    return make


def encoder_of(net: str) -> dict[str, str]:
    size = "img_size=32" if "vit" in net else "input_size=[3,32,32]"
    return {"encoder": f"timm/{net}?crop_pct=1&{size}", "checkpoint": f"{net}.safetensors"}


def write(folder: Path, params: dict) -> Study:
    """The study with these parameters, and random weights for its network: always the same."""
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    if checkpoint := params["silos"].get("drawings", {}).get("checkpoint"):
        net = checkpoint.partition(".")[0]
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            size = {"img_size": 32} if "vit" in net else {}
            save_file(timm.create_model(net, num_classes=0, **size).state_dict(), folder / checkpoint)
    return Study(folder)
