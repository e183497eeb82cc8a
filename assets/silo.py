"""Stage silo: the manifest of each silo, behind a check of its quality that stops everything downstream."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from uml_pipeline.pipeline import Step

from . import show
from .faults import RETRIES
from .plan import Plan
from .workbench import Workbench

CHECK = "sound"
LISTED = 200  # classes in the table: every event keeps its own copy


def build(plan: Plan) -> list[dg.AssetsDefinition]:
    """One asset with one blocking check for every silo of the study."""
    return [_silo(plan, name) for name in plan.study.params.silos]


def _silo(plan: Plan, name: str) -> dg.AssetsDefinition:
    """One silo, and whether it is sound."""
    step, settings = Step("silo", name), plan.study.silo(name)
    description = (
        f"What data is this, and is it sound? {settings.modality.capitalize()} samples of {show.code(settings.path)}, "
        f"one row a sample; bad ones are set aside with a reason. {plan.role(name)}"
    )
    specs = plan.specs(step, description, [settings.modality, "greatexpectations", "parquet"])
    key = specs[0].key
    asks = "Is the silo good enough to learn from? If not, nothing that needs it runs."
    check = dg.AssetCheckSpec(CHECK, asset=key, blocking=True, description=asks)

    @dg.multi_asset(name=plan.name(step), specs=specs, check_specs=[check], retry_policy=RETRIES)
    def silo(workbench: Workbench) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        try:
            outcome = workbench.run(step)
        except dg.Failure as refused:  # the check must say why, not only the step
            why = (refused.description or "").partition("\n")[0]
            yield dg.AssetCheckResult(
                passed=False, asset_key=key, check_name=CHECK, description=show.plain(why), metadata=refused.metadata
            )
            raise
        quality = workbench.facts("silo", "quality.json", name)
        yield workbench.result(step, outcome, _facts(workbench, name, quality), check_results=[_verdict(quality)])

    return silo


def _facts(workbench: Workbench, name: str, quality: dict[str, Any]) -> dict[str, Any]:
    """What a person wants to see of a silo before trusting it."""
    folder = workbench.artifact("silo", name)
    examples = workbench.facts("silo", "examples.json", name) if (folder / "examples.json").is_file() else []
    return {
        "dagster/row_count": quality["good"],
        "classes": quality.get("classes"),
        "groups": quality.get("groups") or None,
        "samples a split": ", ".join(f"{side} {count}" for side, count in quality.get("splits", {}).items()) or None,
        "set aside": _set_aside(quality),
        "samples": show.pictures(sorted(folder.glob("contact.*"))),
        "examples": show.table(examples, ["label", "text"]),
        "samples a class": _class_table(folder),
        "folder": dg.MetadataValue.path(folder),
    }


def _class_table(folder: Path) -> dg.TableMetadataValue | None:
    """Classes by samples a side of the split, the rarest first: those are the ones to worry about."""
    import pandas as pd

    manifest = pd.read_parquet(folder / "manifest.parquet", columns=["label", "split"]).dropna()
    counts = pd.crosstab(manifest["label"], manifest["split"])
    rarest = counts.assign(all=counts.sum(axis=1)).sort_values("all", kind="stable").head(LISTED)
    rows = rarest.rename_axis("class").reset_index()
    return show.table(rows.to_dict("records"), rows.columns)


def _set_aside(quality: dict[str, Any]) -> dg.TableMetadataValue | str:
    """Bad samples by reason, the most frequent first, and some of each."""
    reasons = sorted(quality["bad"], key=lambda reason: -quality["bad"][reason])
    names = quality.get("bad_samples", {})
    rows = [
        {"reason": reason, "samples": quality["bad"][reason], "such as": ", ".join(names.get(reason, []))}
        for reason in reasons
    ]
    return show.table(rows, ["reason", "samples", "such as"]) or "none"


def _verdict(quality: dict[str, Any]) -> dg.AssetCheckResult:
    """The suite's result, expectation by expectation."""
    suite = quality["expectations"]
    failed = [f"{one['asks']} ({one['observed']})" for one in suite if not one["passed"]]
    results = show.table(suite, ["asks", "passed", "severity", "observed", "column", "name"])
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=bool(quality["passed"]),
        description=show.plain(f"not met: {', '.join(failed)}" if failed else f"all {len(suite)} expectations are met"),
        metadata={"expectations": results} if results else {},
    )
