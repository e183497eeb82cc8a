"""Is a silo sound? A Great Expectations suite over its manifest: one row a sample, never the payloads."""

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from uml_pipeline.errors import UserError
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.silo.splits import SPLITS

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation

_SMALLEST_SIDE, _MOST_WORDS = 16, 128  # below and above, an encoder misses much of a sample
# What to do where a critical expectation about this column fails.
_FIXES = {
    "bad": "mend or remove the samples that `bad` names, or raise `max_bad` in params.yaml",
    "label": "give the silo good samples of at least two classes",
    "sides_of_group": "move each group to one side of the `split` column, or remove that column",
}


def assess(table: pd.DataFrame, classes: list[str], config: SiloConfig) -> dict[str, Any]:
    """What was counted and expected of a silo, and whether it `passed`: the content of quality.json.

    Args:
        table: the whole manifest, bad rows included, splits assigned.
        classes: names of all classes, also of those without a sample.
        config: of the silo.
    """
    good = table["bad"].isna()
    expectations = _validate(_measured(table, good), _suite(classes, config))
    return {
        "rows": len(table),
        "good": int(good.sum()),
        "bad": dict(sorted(Counter(table.loc[~good, "bad"]).items())),
        "classes": int(table.loc[good, "label"].nunique()),
        "groups": int(table.loc[good, "group"].nunique()),
        "expectations": expectations,
        "passed": not any(_blocks(one) for one in expectations),
    }


def require_sound(quality: dict[str, Any], name: str) -> None:
    """Refuse a silo that fails a critical expectation.

    Raises:
        UserError: naming the expectation.
    """
    for failed in filter(_blocks, quality["expectations"]):
        bad = "; ".join(f"{reason}: {count}" for reason, count in quality["bad"].items())
        raise UserError(
            f"silo {name!r} is refused: {failed['name']} failed for column {failed['column']!r} ({failed['observed']})",
            where=f"{quality['good']} good of {quality['rows']} samples" + (f", bad: {bad}" if bad else ""),
            fix=_FIXES[failed["column"]],
        )


def _blocks(expectation: dict[str, Any]) -> bool:
    return expectation["severity"] == "critical" and not expectation["passed"]


def _measured(table: pd.DataFrame, good: pd.Series) -> pd.DataFrame:
    """The manifest with what bad rows hold blanked (expectations skip what is absent), and derived columns."""
    frame = table.astype(object).where(good, None)
    frame["bad"] = table["bad"]
    frame["sides_of_group"] = frame.groupby("group")["split"].transform("nunique")
    measures = [name for name in ("width", "height", "words", "sides_of_group") if name in frame]
    frame[measures] = frame[measures].apply(pd.to_numeric)
    return frame


def _suite(classes: list[str], config: SiloConfig) -> list["Expectation"]:
    import great_expectations.expectations as gxe

    suite: list[Expectation] = [
        gxe.ExpectColumnValuesToBeNull(column="bad", mostly=1 - config.max_bad, severity="critical"),
        gxe.ExpectColumnValuesToBeUnique(column="sample_id", severity="warning"),
        gxe.ExpectColumnUniqueValueCountToBeBetween(column="label", min_value=2, severity="critical"),
        gxe.ExpectColumnDistinctValuesToContainSet(column="label", value_set=classes, severity="warning"),
        gxe.ExpectColumnDistinctValuesToContainSet(column="split", value_set=SPLITS, severity="warning"),
        gxe.ExpectColumnValuesToBeBetween(column="sides_of_group", max_value=1, severity="critical"),
    ]
    if config.modality == "image":
        limits: list[tuple[str, int | None, int | None]] = [
            ("width", _SMALLEST_SIDE, None),
            ("height", _SMALLEST_SIDE, None),
        ]
    else:
        limits = [("words", None, _MOST_WORDS)]
    for column, low, high in limits:
        limit = gxe.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high, severity="warning")
        suite.append(limit)
    return suite


def _validate(frame: pd.DataFrame, suite: list["Expectation"]) -> list[dict[str, Any]]:
    """Results in the order of the suite (Great Expectations has an order of its own)."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    import great_expectations as gx

    for place, expectation in enumerate(suite):
        expectation.meta = {"place": place}
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = context.data_sources.pandas_default.read_dataframe(frame)
    report = batch.validate(gx.ExpectationSuite(name="silo", expectations=suite), result_format="SUMMARY")
    results = sorted(report.results, key=lambda result: result.expectation_config.meta["place"])
    return [
        {
            "name": result.expectation_config.type,
            "column": result.expectation_config.kwargs["column"],
            "passed": bool(result.success),
            "severity": result.expectation_config.severity.value,
            "observed": _observed(result.result),
        }
        for result in results
    ]


def _observed(result: dict[str, Any]) -> str:
    if "unexpected_count" in result:
        return f"{result['unexpected_count']} of {result['element_count']} samples are not as expected"
    if "missing_count" in result:
        missing = ", ".join(map(str, result["partial_missing_list"]))
        return f"missing: {missing}" if missing else "nothing is missing"
    return str(result["observed_value"])
