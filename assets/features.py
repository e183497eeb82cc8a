"""Stage features: what each silo's frozen encoder sees of its samples."""

import dagster as dg

from uml_pipeline.pipeline import Step

from . import show
from .faults import RETRIES
from .plan import Plan
from .workbench import Workbench


def build(plan: Plan) -> list[dg.AssetsDefinition]:
    """One asset for every silo of the study."""
    return [_features(plan, name) for name in plan.study.params.silos]


def _features(plan: Plan, name: str) -> dg.AssetsDefinition:
    """One silo in the eyes of its encoder."""
    step, settings = Step("features", name), plan.study.silo(name)
    description = (
        f"What does the encoder see? Every sample of silo `{name}` as a vector, by the frozen encoder "
        f"{show.code(settings.encoder)}. Only changed samples are encoded again."
    )

    specs = plan.specs(step, description, [settings.modality, "pytorch"])

    @dg.multi_asset(name=plan.name(step), specs=specs, retry_policy=RETRIES, pool=plan.pool(step))
    def features(workbench: Workbench) -> dg.MaterializeResult:
        return workbench.result(step, workbench.run(step), _facts(workbench, name))

    return features


def _facts(workbench: Workbench, name: str) -> dict[str, object]:
    """How many vectors, of what kind, by which encoder."""
    from pyarrow.parquet import read_metadata

    folder, config = workbench.artifact("features", name), workbench.facts("features", "config.json", name)
    return {
        "dagster/row_count": read_metadata(folder / "index.parquet").num_rows,
        "encoder": config["encoder"],
        "numbers a sample": config["dim"],
        "space": config.get("space"),
        "encoder fingerprint": config.get("fingerprint"),
        "folder": dg.MetadataValue.path(folder),
    }
