"""trunk, mode ssl: every arm on every episode, what each gains, and the recipe that ships."""

import shutil
from typing import Any

import torch
from torch import Tensor

from uml_pipeline.learn.engine.world import World, pick
from uml_pipeline.learn.sequence.config import READER
from uml_pipeline.learn.sequence.reader import describe
from uml_pipeline.study import Study
from uml_pipeline.trunk import cell_tables
from uml_pipeline.trunk.launch import launch
from uml_pipeline.trunk.recipes import Recipe
from uml_pipeline.trunk.ssl import tables
from uml_pipeline.trunk.ssl.arms import Arm
from uml_pipeline.trunk.ssl.compute import Final, compute, tested
from uml_pipeline.trunk.tables import arms, summary
from uml_pipeline.trunk.unfinished import root
from uml_pipeline.workspace import Workspace, write_json


def run(study: Study) -> None:
    """Train, compare, decide, and write artifacts/trunk. Killed at any moment, it goes on from its last checkpoint.

    Raises:
        UserError: an upstream artifact is missing, the policy blocks a silo, or the target cannot be learnt.
    """
    from safetensors.torch import save_file

    config = study.params.trunk.ssl
    if config.processes > 1:
        launch(study)
    outcome = compute(study, World(device=pick(config.device)))
    table = tables.runs(outcome.cells)
    with Workspace(study.folder).writing("trunk") as folder:
        table.to_parquet(folder / "runs.parquet", index=False)
        cell_tables.curves(outcome.cells).to_parquet(folder / "curves.parquet", index=False)
        save_file(_tensors(outcome.ships), folder / "ships.safetensors")
        save_file(_tensors(outcome.baseline), folder / "baseline.safetensors")
        write_json(
            folder / "config.json",
            {
                "mode": "ssl",
                "ships": _describe(outcome.decision.ships, outcome.ships),
                "baseline": _describe(outcome.decision.baseline, outcome.baseline),
                "classes": outcome.inputs.classes,
                "samples": outcome.ships.samples,
                "reader": describe(outcome.ships.reader, config.network),
            },
        )
        metrics = {
            "runs": summary(table),
            "gains": cell_tables.gains(outcome.lineup, outcome.cells),
            "arms": arms(outcome.lineup),
            "ships": outcome.decision.describe(),
            "test": {
                "ships": outcome.ships.test,
                "baseline": outcome.baseline.test,
                "samples": len(tested(outcome.inputs)),
            },
            "used": outcome.inputs.used,
            "monitors": tables.monitors(outcome.inputs, outcome.cells),
        }
        write_json(folder / "metrics.json", metrics)
    shutil.rmtree(root(study))


def _describe(recipe: Recipe[Arm], final: Final) -> dict[str, Any]:
    return {"method": recipe.arm.name, "setting": vars(recipe.setting), "steps": final.steps, "loss": recipe.loss}


def _tensors(final: Final) -> dict[str, Tensor]:
    """The probe's `head` [class, width] and `bias` [class], and the reader's weights as `reader.<name>`."""
    head = {"head": torch.from_numpy(final.probe.weight), "bias": torch.from_numpy(final.probe.bias)}
    return head | {READER + name: value.contiguous() for name, value in final.reader.state_dict().items()}
