"""Stages of the study's own, such as the one that fetches its raw data: DVC runs their command."""

import dagster as dg

from uml_pipeline.pipeline import Step

from .plan import Plan
from .workbench import Workbench


def build(plan: Plan) -> list[dg.AssetsDefinition]:
    """One asset for every stage in the study's dvc.yaml that is not one of the six."""
    return [_data(plan, step) for step in plan.graph if not step.ours]


def _data(plan: Plan, step: Step) -> dg.AssetsDefinition:
    """Whatever makes raw data for this study."""
    description = f"Where does the raw data come from? Stage `{step.address}` of this study's own dvc.yaml makes it."

    @dg.multi_asset(name=plan.name(step), specs=plan.specs(step, description, ["dvc"]))
    def data(workbench: Workbench) -> dg.MaterializeResult:
        return workbench.result(step, workbench.run(step), {})

    return data
