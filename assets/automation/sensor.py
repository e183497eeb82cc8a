"""The sensor on the silos' content: it looks, waits until nothing moves, and asks for one run of what depends on it."""

import os
from typing import TYPE_CHECKING

import dagster as dg

from uml_pipeline.pipeline import Step
from uml_pipeline.workspace import fingerprint_of

from .content import Change, Memory, compare, look
from .schedule import everything

if TYPE_CHECKING:
    from ..plan import Plan  # which imports the conditions beside this file

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def silo_changes(plan: "Plan") -> dg.SensorDefinition:
    """A sensor that runs what depends on a silo when its content is no longer what the study was built from.

    A change counts once two looks in a row agree (a copy in progress starts nothing) and no run is going on (changes
    pile up in the silos, and not in the queue).
    """

    @dg.sensor(
        job=everything,
        minimum_interval_seconds=int(os.environ.get("UML_LOOK_SECONDS", "30")),
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Runs what depends on a silo whose content differs from dvc.lock, once nobody writes to it.",
    )
    def silo_changes(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        memory = Memory.model_validate_json(context.cursor or "{}")
        result = _tick(plan, memory, busy=_busy(context))
        context.update_cursor(memory.model_dump_json())
        return result

    return silo_changes


def _tick(plan: "Plan", memory: Memory, *, busy: bool) -> dg.SensorResult | dg.SkipReason:
    """One look; `memory` is brought up to date."""
    looks = {name: look(plan.study, name) for name in plan.study.params.silos}
    moving = [name for name in looks if looks[name] != memory.looks.get(name)]
    memory.looks = looks
    if moving:
        return dg.SkipReason(f"new or still changing, so look again: {', '.join(moving)}")
    if busy:
        return dg.SkipReason("a run is going on: what changes meanwhile waits for its end")
    unsure = [name for name in looks if looks[name] != memory.judged.get(name)]
    changes = compare(plan.study, unsure, memory) if unsure else []
    memory.judged = looks
    if not changes:
        return dg.SkipReason("no silo's content changed")
    memory.runs += 1
    return dg.SensorResult(run_requests=[_request(plan, changes, memory.runs)])


def _request(plan: "Plan", changes: list[Change], number: int) -> dg.RunRequest:
    """One run for all changed silos; its key is the same if the look is repeated after a crash."""
    keys = {key for change in changes for step in _first(plan, change) for key in plan.downstream(step)}
    pull = [change.silo for change in changes if change.pull]
    bench = {"folder": str(plan.study.folder), "pull": pull}  # given in part, it would lose the rest
    return dg.RunRequest(
        run_key=f"{number}-{fingerprint_of([(change.silo, change.asks) for change in changes])[:12]}",
        asset_selection=sorted(keys),
        run_config={"resources": {"workbench": {"config": bench}}} if pull else {},
        tags={"uml/changed": ",".join(change.silo for change in changes)},
    )


def _first(plan: "Plan", change: Change) -> list[Step]:
    """Where the run begins: data that vanished are made again by the step that makes them, if there is one."""
    step = Step("silo", change.silo)
    return [step] if change.content else [step, *plan.graph[step]]


def _busy(context: dg.SensorEvaluationContext) -> bool:
    """Whether a run of this code location is queued or going on, whoever asked for it."""
    origin = context.code_location_origin
    ours = {".dagster/repository": f"{context.repository_name}@{origin.location_name}"} if origin else {}
    return bool(context.instance.get_runs_count(dg.RunsFilter(statuses=UNFINISHED, tags=ours)))
