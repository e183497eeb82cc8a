"""The template that `uml ui` copies to DAGSTER_HOME: Dagster accepts it, and it says what we mean."""

import shutil
from pathlib import Path

import dagster as dg

TEMPLATE = Path(__file__).parents[2] / "assets" / "dagster.yaml"


def test_the_template_is_what_dagster_takes(tmp_path: Path) -> None:
    shutil.copy(TEMPLATE, tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        limits = instance.get_concurrency_config()
        assert limits.run_queue_config and limits.run_queue_config.max_concurrent_runs == 1
        assert limits.pool_config.default_pool_limit == 1
        assert not instance.telemetry_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_runtime_seconds == 86400
        assert (instance.run_retries_enabled, instance.run_retries_max_retries) == (True, 1)
        assert not instance.run_retries_retry_on_asset_or_op_failure
