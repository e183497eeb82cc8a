"""Stage trunk: the training of the shared module and of the baseline it has to beat."""

from typing import Any

import dagster as dg

from uml_pipeline.pipeline import Step

from . import show
from .plan import Plan
from .workbench import Workbench

STEP = Step("trunk")


def build(plan: Plan) -> list[dg.AssetsDefinition]:
    """One asset: all methods, trained on the same splits."""
    settings = plan.study.params.trunk
    description = (
        f"What is learned? A shared trunk from all relevant silos, and the same training on `{plan.study.target}` "
        f"alone, at {', '.join(map(str, settings.shots))} samples a class over {settings.seeds} splits; "
        "then the choice of what ships."
    )

    @dg.multi_asset(name="trunk", specs=plan.specs(STEP, description, ["pytorch"]), pool=plan.pool(STEP))
    def trunk(workbench: Workbench) -> dg.MaterializeResult:
        return workbench.result(STEP, workbench.run(STEP), _facts(workbench))

    return [trunk]


def _facts(workbench: Workbench) -> dict[str, Any]:
    """What shall ship, and why; how all methods did."""
    from pyarrow.parquet import read_metadata

    folder, metrics = workbench.artifact("trunk"), workbench.facts("trunk", "metrics.json")
    labels = {method: arm["label"] for method, arm in metrics["arms"].items()}
    return {
        "ships": labels[metrics["ships"]["method"]],
        "reason": metrics["ships"]["reason"],
        "learning curve": _curve(metrics),
        "accuracy (%)": show.accuracies(metrics["runs"], labels),
        "gains, 95% intervals": show.gains(metrics["gains"], labels),
        "methods": len(labels),
        "trainings": read_metadata(folder / "runs.parquet").num_rows,
        "folder": dg.MetadataValue.path(folder),
    }


def _curve(metrics: dict[str, Any]) -> dg.MarkdownMetadataValue:
    """Accuracy against shots, as the report draws it."""
    from uml_pipeline.report import figures
    from uml_pipeline.report.results import Trunk

    return show.drawing(figures.learning_curve(Trunk.model_validate(metrics)), "learning curve")
