"""The Great Expectations suite of a silo: over its manifest, one row a sample, never the payloads."""

import os
from typing import TYPE_CHECKING, Any

import pandas as pd

from uml_pipeline.silo.config import Modality, SiloConfig
from uml_pipeline.silo.splits import SPLITS

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation

# Column, smallest and largest value: beyond them, an encoder misses much of a sample.
_LIMITS: dict[Modality, list[tuple[str, float | None, float | None]]] = {
    "image": [("width", 16, None), ("height", 16, None)],
    "audio": [("seconds", 0.05, 30), ("clipped", None, 0.01)],
    "text": [("words", None, 128)],
    "table": [("missing", None, 0.5)],
    "series": [("steps", 2, None), ("missing", None, 0.5)],
    "vector": [],
}


def suite(classes: list[str], config: SiloConfig) -> list["Expectation"]:
    """What is expected of a silo's manifest as `quality.measured` gives it. Critical ones refuse it."""
    import great_expectations.expectations as gxe

    between = gxe.ExpectColumnValuesToBeBetween
    contain = gxe.ExpectColumnDistinctValuesToContainSet
    asked: list[Expectation] = [
        gxe.ExpectColumnValuesToBeNull(
            column="bad", mostly=1 - config.max_bad, severity="critical", notes="few samples are set aside"
        ),
        gxe.ExpectColumnValuesToBeUnique(column="sample_id", severity="warning", notes="no sample stands twice"),
        contain(column="split", value_set=SPLITS, severity="warning", notes="every side of the split has samples"),
        between(column="sides_of_group", max_value=1, severity="critical", notes="no group on two sides of the split"),
    ]
    if config.label:
        asked += [
            gxe.ExpectColumnUniqueValueCountToBeBetween(
                column="label", min_value=2, severity="critical", notes="at least two classes"
            ),
            contain(column="label", value_set=classes, severity="warning", notes="every class has samples"),
            between(column="labels_of_sample", max_value=1, severity="warning", notes="no sample has two labels"),
        ]
    if config.modality in ("image", "audio", "text"):
        notes = "no near-duplicates on two sides of the split"
        asked.append(between(column="sides_of_likes", max_value=1, severity="warning", notes=notes))
    if config.modality == "text":
        severity = "critical" if config.names_label == "block" else "info"
        notes = "no text names its label or a file word for word"
        asked.append(gxe.ExpectColumnValuesToBeNull(column="names", severity=severity, notes=notes))
    for column, low, high in _LIMITS[config.modality]:
        asked.append(between(column=column, min_value=low, max_value=high, severity="warning", notes=_range(low, high)))
    return asked


def validate(frame: pd.DataFrame, asked: list["Expectation"]) -> list[Any]:
    """Great Expectations' results, in the order of the suite (it has an order of its own)."""
    report = report_on(frame, asked)
    return sorted(report.results, key=lambda result: result.expectation_config.meta["place"])


def report_on(frame: pd.DataFrame, asked: list["Expectation"]) -> Any:
    """Great Expectations' own report."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    import great_expectations as gx

    for place, expectation in enumerate(asked):
        expectation.meta = {"place": place}
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = context.data_sources.pandas_default.read_dataframe(frame)
    return batch.validate(gx.ExpectationSuite(name="silo", expectations=asked), result_format="SUMMARY")


def _range(low: float | None, high: float | None) -> str:
    words = [f"at least {low:g}" if low is not None else "", f"at most {high:g}" if high is not None else ""]
    return ", ".join(filter(None, words))
