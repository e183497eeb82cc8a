"""Retraining by declaration: an asset is asked for when what it reads has other content, not when it was made again."""

import dagster as dg

_WANTED = (
    dg.AutomationCondition.missing().newly_true()
    | dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed())
    | dg.AutomationCondition.code_version_changed()
)
_READY = (
    ~dg.AutomationCondition.any_deps_missing()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
    # a blocking check stops the run it belongs to, and no later one
    & dg.AutomationCondition.all_deps_blocking_checks_passed()
)

on_new_content = (_WANTED.since_last_handled() & _READY).with_label("an input, the parameters or the code changed")
"""Dagster's `eager()` would run all that reads what was made again; this stops where the bytes are the same."""

conditions = dg.AutomationConditionSensorDefinition(
    "conditions",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.STOPPED,
    minimum_interval_seconds=30,
    description="Asks for what reads something that changed, a step at a time, and stops where nothing new came out.",
)
