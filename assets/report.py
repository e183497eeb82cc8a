"""Stage report: the evidence, on one page."""

from typing import Any

import dagster as dg

from uml_pipeline.pipeline import Step

from . import show
from .plan import Plan
from .workbench import Workbench

STEP = Step("report")


def build(plan: Plan) -> list[dg.AssetsDefinition]:
    """One asset: metrics, figures, and the page that explains them."""
    description = (
        "Is it better, by how much, and how do we know? Accuracy of every method on test samples no training has seen, "
        "the paired gains with their intervals, and the verdict on each silo."
    )

    specs = plan.specs(STEP, description, ["html", "matplotlib"])

    @dg.multi_asset(name="report", specs=specs, pool=plan.pool(STEP))
    def report(workbench: Workbench) -> dg.MaterializeResult:
        return workbench.result(STEP, workbench.run(STEP), _facts(workbench))

    return [report]


def _facts(workbench: Workbench) -> dict[str, Any]:
    """The page's path, its three tables and its figures."""
    folder, metrics = workbench.artifact("report"), workbench.facts("report", "metrics.json")
    labels = {method: arm["label"] for method, arm in workbench.facts("trunk", "metrics.json")["arms"].items()}
    return {
        "page": dg.MetadataValue.path(folder / "index.html"),
        "ships": labels[metrics["ships"]],
        "verdicts": show.table(metrics["verdicts"], ["silo", "verdict", "p_value"]),
        "accuracy (%)": show.accuracies(metrics["runs"], labels),
        "gains, 95% intervals": show.gains(metrics["gains"], labels),
        "figures": show.pictures(sorted(folder.glob("figures/*.svg"))),
    }
