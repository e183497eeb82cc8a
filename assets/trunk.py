"""Stage trunk: the training of the shared module and of the baseline it has to beat."""

import dagster as dg

from assets.plan import Plan
from assets.workbench import Workbench
from uml_pipeline.pipeline import Step

STEP = Step("trunk")


def build(plan: Plan) -> list[dg.AssetsDefinition]:
    """One asset: all methods, trained on the same splits."""
    settings = plan.study.params.trunk
    description = (
        f"What is learned? A shared trunk from all relevant silos, and the same training on `{plan.study.target}` "
        f"alone, at {', '.join(map(str, settings.shots))} samples a class over {settings.seeds} splits; "
        "then the choice of what ships."
    )

    @dg.multi_asset(name="trunk", specs=plan.specs(STEP, description, ["pytorch"]))
    def trunk(workbench: Workbench) -> dg.MaterializeResult:
        return workbench.result(STEP, workbench.run(STEP), _facts(workbench))

    return [trunk]


def _facts(workbench: Workbench) -> dict[str, object]:
    """What shall ship, and why."""
    from pyarrow.parquet import read_metadata

    folder, metrics = workbench.artifact("trunk"), workbench.facts("trunk", "metrics.json")
    return {
        "ships": metrics["arms"][metrics["ships"]["method"]]["label"],
        "reason": metrics["ships"]["reason"],
        "methods": len(metrics["arms"]),
        "trainings": read_metadata(folder / "runs.parquet").num_rows,
        "folder": dg.MetadataValue.path(folder),
    }
