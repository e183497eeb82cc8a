"""The study as Dagster sees it: open it with `dagster dev` and press "Materialize all"."""

import dagster as dg

from assets import champion, data, executors, features, model, relevance, report, silo, trunk
from assets.automation import conditions, everything, nightly, silo_changes
from assets.plan import Plan
from assets.workbench import Workbench, study_folder
from uml_pipeline.study import Study


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
