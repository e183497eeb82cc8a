"""Stage model: the stripped model, which reads the target's modality alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from uml_pipeline.pipeline import Step

from . import show
from .plan import Plan
from .workbench import Workbench

if TYPE_CHECKING:
    from uml_pipeline.lineage import Branch  # which imports pandas

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
        return workbench.result(STEP, workbench.run(STEP), _facts(workbench, plan))

    return [model]


def _facts(workbench: Workbench, plan: Plan) -> dict[str, Any]:
    """How good it is, how to use it, its card, and the lineage back to the raw bytes."""
    from uml_pipeline import lineage

    folder, metrics = workbench.artifact("model"), workbench.facts("trunk", "metrics.json")
    origin = lineage.branches(lineage.read(folder))
    return {
        "method": metrics["arms"][metrics["ships"]["method"]]["label"],
        "accuracy on the test split": _accuracy(metrics["test"]),
        "classes": len(workbench.facts("model", "labels.json")),
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        "try it": dg.MetadataValue.md(show.code(f"uml predict {folder.relative_to(workbench.folder)} FILE...")),
        "made from": dg.MetadataValue.md("\n".join(_tree(origin, plan))),
        "card": dg.MetadataValue.md(_card(folder)),
        "lineage": dg.MetadataValue.json(workbench.facts("model", "lineage.json")),
        "model": dg.MetadataValue.path(folder),
    }


def _card(folder: Path) -> str:
    """Without its head, which is for the hub."""
    return (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2]


def _accuracy(test: dict[str, Any]) -> str:
    """With its interval, as the card has it."""
    from uml_pipeline.model.card import wilson

    return f"{test['ships']:.1f} % ({wilson(test['ships'], test['samples'])}) of {test['samples']} samples"


def _tree(branch: "Branch", plan: Plan, depth: int = 0) -> Iterator[str]:
    """The lineage as a list in Markdown: every step a link to its asset, with the hash of what it made."""
    indent = "  " * depth
    links = ", ".join(show.link(key) for key in plan.keys(Step.parse(branch.node.step)))
    yield f"{indent}- {links} {show.code(branch.node.version[:12])}"
    for below in branch.inputs:
        yield from _tree(below, plan, depth + 1)
    if branch.data:
        yield f"{indent}  - {show.code(branch.data.path)} {show.code(branch.data.hash[:12])}"
