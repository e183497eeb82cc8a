"""Stage model: the stripped model, which reads the target's modality alone."""

import dagster as dg

from assets.plan import Plan
from assets.workbench import Workbench
from uml_pipeline.pipeline import Step

STEP = Step("model")


def build(plan: Plan) -> list[dg.AssetsDefinition]:
    """One asset: the folder that is shipped."""
    modality = plan.study.silo(plan.study.target).modality
    description = (
        f"What do we ship? A model that reads one {modality} and needs nothing else: encoder and one linear layer, "
        "with its labels, its card and its lineage."
    )

    @dg.multi_asset(name="model", specs=plan.specs(STEP, description, [modality, "pytorch", "safetensors"]))
    def model(workbench: Workbench) -> dg.MaterializeResult:
        return workbench.result(STEP, workbench.run(STEP), _facts(workbench))

    return [model]


def _facts(workbench: Workbench) -> dict[str, object]:
    """The model card, where the folder is and how big, and the lineage back to the raw bytes."""
    folder = workbench.artifact("model")
    return {
        "model": dg.MetadataValue.path(folder),
        "classes": len(workbench.facts("model", "labels.json")),
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        "card": dg.MetadataValue.md((folder / "README.md").read_text(encoding="utf-8")),
        "lineage": dg.MetadataValue.json(workbench.facts("model", "lineage.json")),
        "try it": dg.MetadataValue.md(f"`uml predict {folder} FILE...`"),
    }
