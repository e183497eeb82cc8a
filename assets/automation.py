"""What runs the pipeline when nobody clicks: a job for everything, a nightly schedule, a sensor on the silos' files."""

import hashlib
import json
from pathlib import Path

import dagster as dg

from assets.plan import Plan
from uml_pipeline.pipeline import Step

everything = dg.define_asset_job(
    "everything",
    selection=dg.AssetSelection.all(),
    description="Bring the whole study up to date; what is unchanged is skipped.",
)

nightly = dg.ScheduleDefinition(
    name="nightly",
    job=everything,
    cron_schedule="0 3 * * *",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Bring the whole study up to date every night.",
)


def silo_changes(plan: Plan) -> dg.SensorDefinition:
    """A sensor that runs what depends on a silo as soon as one of its files changes."""

    @dg.sensor(
        job=everything,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Runs what depends on a silo whose files changed since the last look; the first look remembers.",
    )
    def silo_changes(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        seen = json.loads(context.cursor) if context.cursor else None
        now = {name: fingerprint(plan.study.data(name)) for name in plan.study.params.silos}
        context.update_cursor(json.dumps(now))
        changed = [name for name in now if seen is not None and now[name] != seen.get(name)]
        if not changed:
            return dg.SkipReason(
                "no silo changed" if seen is not None else "first look: remembered how the silos are now"
            )
        keys = {key for name in changed for key in plan.downstream(Step("silo", name))}
        return dg.SensorResult(
            run_requests=[dg.RunRequest(asset_selection=sorted(keys), tags={"uml/changed": ",".join(changed)})]
        )

    return silo_changes


def fingerprint(data: Path) -> str:
    """A hash of name, size and time of every file of a silo: quick, since the run itself looks at the contents."""
    files = sorted(data.rglob("*")) if data.is_dir() else [data]
    facts = [(path.relative_to(data).as_posix(), *_facts(path)) for path in files if not path.is_dir()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _facts(path: Path) -> tuple[float, ...]:
    """Size and time; nothing for a file that is not there, or no longer."""
    try:
        facts = path.stat()
    except OSError:
        return ()
    return facts.st_size, getattr(facts, "st_mtime_ns", facts.st_mtime)  # remote ones have no nanoseconds
