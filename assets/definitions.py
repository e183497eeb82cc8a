"""The study as Dagster sees it: open it with `dagster dev` and press "Materialize all"."""

import dagster as dg

from uml_pipeline.study import Study

from . import champion, data, executors, features, model, relevance, report, silo, trunk
from .automation import conditions, everything, nightly, silo_changes
from .plan import Plan
from .workbench import Workbench, study_folder


def build(study: Study) -> dg.Definitions:
    """Assets with their checks, the automation, and the workbench they run on."""
    plan = Plan(study)
    rooms = (data, silo, features, relevance, trunk, model, report, champion)
    return dg.Definitions(
        assets=[asset for room in rooms for asset in room.build(plan)],
        jobs=[everything],
        schedules=[nightly],
        sensors=[silo_changes(plan), conditions],
        resources={"workbench": Workbench(folder=str(study.folder))},
        executor=executors.chosen(),
    )


defs = build(Study(study_folder()))
