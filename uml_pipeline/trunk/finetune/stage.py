"""trunk, mode finetune: every arm on every episode, what each gains, and the recipe that ships."""

import shutil
from typing import Any

from uml_pipeline.learn.engine.world import World, pick
from uml_pipeline.learn.splits import held_out
from uml_pipeline.study import Study
from uml_pipeline.trunk import cell_tables
from uml_pipeline.trunk.finetune.arms import Arm
from uml_pipeline.trunk.finetune.cells import recognised
from uml_pipeline.trunk.finetune.compute import Outcome, compute
from uml_pipeline.trunk.finetune.export import bundle, export
from uml_pipeline.trunk.launch import launch
from uml_pipeline.trunk.recipes import Recipe
from uml_pipeline.trunk.tables import arms, summary
from uml_pipeline.trunk.unfinished import root
from uml_pipeline.workspace import Workspace, write_json


def run(study: Study) -> None:
    """Train, compare, decide, and write artifacts/trunk. Killed at any moment, it goes on from its last checkpoint.

    Raises:
        UserError: an upstream artifact is missing, the policy blocks a silo, or the target cannot be learnt.
    """
    from safetensors.torch import save_file

    config = study.params.trunk.finetune
    if config.processes > 1:
        launch(study)
    world = World(device=pick(config.device))
    outcome = compute(study, world)
    table = cell_tables.runs(outcome.cells)
    with Workspace(study.folder).writing("trunk") as folder:
        table.to_parquet(folder / "runs.parquet", index=False)
        cell_tables.curves(outcome.cells).to_parquet(folder / "curves.parquet", index=False)
        ships, encoder = export(*outcome.ships, folder)
        save_file(ships, folder / "ships.safetensors")
        save_file(bundle(*outcome.baseline), folder / "baseline.safetensors")
        write_json(
            folder / "config.json",
            {
                "mode": "finetune",
                "ships": _describe(outcome.decision.ships, outcome.ships[1].best),
                "baseline": _describe(outcome.decision.baseline, outcome.baseline[1].best),
                "classes": outcome.inputs.classes,
                "samples": len(outcome.ships[0].train),
                "encoder": encoder,
            },
        )
        metrics = {
            "runs": summary(table),
            "gains": cell_tables.gains(outcome.lineup, outcome.cells),
            "arms": arms(outcome.lineup),
            "ships": outcome.decision.describe(),
            "test": _test(outcome, world),
        }
        write_json(folder / "metrics.json", metrics)
    shutil.rmtree(root(study))


def _describe(recipe: Recipe[Arm], steps: int) -> dict[str, Any]:
    return {"method": recipe.arm.name, "setting": vars(recipe.setting), "steps": steps, "loss": recipe.loss}


def _test(outcome: Outcome, world: World) -> dict[str, Any]:
    """Accuracy on the held-out test split, in percent, of what ships and of the baseline: read once."""
    rows = held_out(outcome.inputs.manifest)
    shares = {}
    for name, (run_, found) in (("ships", outcome.ships), ("baseline", outcome.baseline)):
        [(right, counts)] = recognised(run_, found, [rows], world)
        shares[name] = 100 * float(right.sum() / counts.sum())
    return {**shares, "samples": len(rows)}
