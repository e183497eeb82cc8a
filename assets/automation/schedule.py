"""A job for everything, and when it runs every night."""

import os

import dagster as dg

everything = dg.define_asset_job(
    "everything",
    selection=dg.AssetSelection.all(),
    description="Bring the whole study up to date; what is unchanged is skipped.",
    tags={"dagster/max_runtime": os.environ.get("UML_MAX_RUNTIME", "86400")},  # seconds; the daemon ends what hangs
)

nightly = dg.ScheduleDefinition(
    name="nightly",
    job=everything,
    cron_schedule="0 3 * * *",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Bring the whole study up to date every night.",
)
