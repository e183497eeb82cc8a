"""The champion: the released model, and whether the newest one took its place. A refusal is a decision, no failure."""

from typing import Any

import dagster as dg

from uml_pipeline.registry import Decision

from . import show
from .automation.conditions import on_new_content
from .plan import CHAMPION, Plan
from .workbench import Workbench, told_in_dagster

CHECK = "not_worse"


def build(plan: Plan) -> list[dg.AssetsDefinition]:
    """One asset with one check."""
    description = (
        "Which model is released? The new one takes the champion's place unless it is worse on samples that neither "
        "learned from. `uml models` lists all releases, `uml rollback` goes back."
    )
    spec = dg.AssetSpec(
        CHAMPION,
        deps=[dg.AssetKey("model")],
        group_name="registry",
        description=description,
        kinds={"python"},
        tags=plan.tags(),
        automation_condition=on_new_content,
    )
    check = dg.AssetCheckSpec(CHECK, asset=CHAMPION, description="Is the new model at least as good as the champion?")

    @dg.multi_asset(name="champion", specs=[spec], check_specs=[check], pool="memory")
    def champion(workbench: Workbench) -> dg.MaterializeResult:
        return _decided(workbench)

    return [champion]


def _decided(workbench: Workbench) -> dg.MaterializeResult:
    """The decision as an event; the asset's version is the released model's, so it changes when that does."""
    from uml_pipeline import registry

    with told_in_dagster():
        study = workbench.study()
        decision = registry.promote(study)
        released, history = registry.champion(study), registry.history(study)
    refused = decision.outcome == "refused"
    return dg.MaterializeResult(
        data_version=dg.DataVersion(released.model) if released else None,
        metadata={name: value for name, value in _facts(decision, history).items() if value is not None},
        check_results=[
            dg.AssetCheckResult(
                check_name=CHECK,
                passed=not refused,
                severity=dg.AssetCheckSeverity.WARN,
                description=show.plain(decision.reason),
            )
        ],
    )


def _facts(decision: Decision, history: list[Decision]) -> dict[str, Any]:
    """What was decided and why, and all that was decided before."""
    return {
        "decision": decision.outcome,
        "reason": decision.reason,
        "gain over the champion": _gain(decision),
        "judged on": f"{decision.judged_on}, {decision.samples} samples" if decision.samples else None,
        "release": decision.number,
        "model": decision.challenger,
        "history": show.table(
            (
                {
                    "when": one.when.strftime("%Y-%m-%d %H:%M UTC"),
                    "decision": one.outcome,
                    "release": one.number,
                    "model": one.challenger[:12],
                    "gain": _gain(one),
                    "reason": one.reason,
                }
                for one in reversed(history)
            ),
            ["when", "decision", "release", "model", "gain", "reason"],
        ),
    }


def _gain(decision: Decision) -> str | None:
    return str(decision.gain) if decision.gain else None
