"""Stage relevance: one verdict for each auxiliary silo, and a check that says whether it is about the same world."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from uml_pipeline.pipeline import Outcome, Step
from uml_pipeline.workspace import sha256

from . import show
from .plan import Plan
from .workbench import Workbench

CHECK = "relevant"
STEP = Step("relevance")


def build(plan: Plan) -> list[dg.AssetsDefinition]:
    """One computation with one asset and one check for each auxiliary silo."""
    policy = plan.study.params.relevance.policy
    target, auxiliary = plan.study.target, plan.study.auxiliary
    consequence = {
        "exclude": "If not, it is left out of training.",
        "block": "If not, nothing downstream runs.",
        "warn": "If not, it is used all the same.",
    }[policy]
    description = (
        f"Is it about the same world as `{target}`, so will it help? A quick trial with it and without it, against "
        "permuted labels, and the geometry of the classes."
    )
    specs = plan.specs(STEP, description, ["python"])
    checks = [
        dg.AssetCheckSpec(
            CHECK,
            asset=["relevance", name],
            blocking=policy == "block",
            description=f"Will silo `{name}` help? {consequence}",
        )
        for name in auxiliary
    ]

    @dg.multi_asset(name="relevance", specs=specs, check_specs=checks, pool=plan.pool(STEP))
    def relevance(workbench: Workbench) -> Iterator[dg.MaterializeResult]:
        outcome = workbench.run(STEP)
        if not auxiliary:
            yield workbench.result(STEP, outcome, {})
        for name in auxiliary:
            yield _judged(workbench, outcome, name, strict=policy == "block")

    return [relevance]


def _judged(workbench: Workbench, outcome: Outcome, name: str, *, strict: bool) -> dg.MaterializeResult:
    """One silo's verdict; its version is its own file's, so that a silo judged as before changes nothing downstream."""
    verdict = workbench.facts("relevance", f"{name}.json")
    path = workbench.artifact("relevance") / f"{name}.json"
    return workbench.result(
        STEP,
        outcome,
        _facts(verdict) | {"figure": _figure(verdict), "file": dg.MetadataValue.path(path)},
        asset_key=dg.AssetKey(["relevance", name]),
        version=sha256(path),
        check_results=[_check(name, verdict, strict=strict)],
    )


def _facts(verdict: dict[str, Any]) -> dict[str, Any]:
    """The verdict and the evidence it rests on."""
    geometry = verdict["geometry"]
    return {
        "verdict": verdict["verdict"],
        "used in training": verdict["used"],
        "expected gain, 95% interval": _expected(verdict["alone"]),
        "the same beside all others": _expected(verdict["beside"]),
        "p-value": show.short(verdict["p_value"]),
        "shared classes": verdict["shared_classes"],
        "agreement of the classes' geometry": geometry and show.short(geometry["statistic"]),
        "agreement, p-value": geometry and show.short(geometry["p_value"]),
        "reasons": show.table([{"reason": reason} for reason in verdict["reasons"]], ["reason"]),
    }


def _expected(found: dict[str, Any] | None) -> str | None:
    return found and show.interval(**found["gain"])


def _figure(verdict: dict[str, Any]) -> dg.MarkdownMetadataValue | None:
    """The expected gain with its interval, against what permuted labels give, as the report draws it."""
    from uml_pipeline.report import forests
    from uml_pipeline.report.verdicts import Verdict

    drawn = forests.expected([Verdict.model_validate(verdict)])
    return next((show.drawing(svg, name) for name, svg in drawn.items()), None)


def _check(name: str, verdict: dict[str, Any], *, strict: bool) -> dg.AssetCheckResult:
    """Only a silo that surely does not help stops anything, if the study says so: thin evidence is a warning."""
    stops = strict and verdict["verdict"] in ("harms", "neutral")
    chance = "" if verdict["p_value"] is None else f", p = {verdict['p_value']:.3g}"
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(["relevance", name]),
        check_name=CHECK,
        passed=verdict["verdict"] == "helps",
        severity=dg.AssetCheckSeverity.ERROR if stops else dg.AssetCheckSeverity.WARN,
        description=f"{verdict['verdict']}{chance}",
        metadata=_facts(verdict),
    )
