"""The tiny study with a tiny timm network as its target's encoder, its stages before the trunk run."""

from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
import yaml
from safetensors.torch import save_file

from uml_pipeline.pipeline import Step, call
from uml_pipeline.study import Study

FAST = {"steps": 6, "look_every": 3, "warm_up": 2, "batch": 6, "auxiliary_batch": 8, "alphas": [1.0], "patience": 9}


@pytest.fixture
def tuned(tiny_study: Study) -> Callable[..., Study]:
    """`tuned(net, **finetune)`: the study up to the trunk's door, in mode finetune."""

    def make(net: str = "test_vit", trunk: dict | None = None, silo: dict | None = None, **finetune: object) -> Study:
        path = tiny_study.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        size = "&img_size=32" if "vit" in net else "&input_size=[3,32,32]"
        params["silos"]["drawings"] |= {"encoder": f"timm/{net}?crop_pct=1{size}", "checkpoint": "net.safetensors"}
        params["silos"]["drawings"] |= silo or {}
        save_weights(tiny_study.folder / "net.safetensors", net)
        settings = {"mode": "finetune", "shots": [1], "seeds": 4, "finetune": FAST | finetune}
        params["trunk"] = settings | (trunk or {})
        path.write_text(yaml.safe_dump(params, sort_keys=False))
        study = Study(tiny_study.folder)
        for stage in ("silo", "features"):
            for name in study.params.silos:
                call(study, Step(stage, name))
        call(study, Step("relevance"))
        return study

    return make


def save_weights(path: Path, net: str) -> None:
    """Random weights, always the same."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        size = {"img_size": 32} if "vit" in net else {}
        made = timm.create_model(net, pretrained=False, num_classes=0, **size)
    save_file(made.state_dict(), path)
