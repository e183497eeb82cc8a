"""The Great Expectations suite of a silo: over its manifest, one row a sample, never the payloads."""

import os
from typing import TYPE_CHECKING, Any

import pandas as pd

from uml_pipeline.silo.config import Modality, SiloConfig
from uml_pipeline.silo.manifest import GATE
from uml_pipeline.silo.splits import SPLITS

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation

# Column, smallest and largest value, and that in words: beyond them, an encoder misses much of a sample.
_LIMITS: dict[Modality, list[tuple[str, float | None, float | None, str]]] = {
    "image": [("width", 16, None, "at least 16 pixels wide"), ("height", 16, None, "at least 16 pixels high")],
    "audio": [
        ("seconds", 0.05, 30, "between 0.05 and 30 seconds long"),
        ("clipped", None, 0.01, "at most 1 % of a sound is clipped"),
    ],
    "text": [("words", None, 128, "at most 128 words")],
    "table": [("missing", None, 0.5, "at most half of a row's cells are missing")],
    "series": [
        ("steps", 2, None, "at least 2 steps"),
        ("missing", None, 0.5, "at most half of a series' numbers are missing"),
    ],
    "vector": [],
}
_ON_ALL_SIDES = "every class has samples on every side of the split"  # else it is not trained on, or never tested


def suite(classes: list[str], config: SiloConfig) -> list["Expectation"]:
    """What is expected of a silo's manifest as `quality.measured` gives it. Critical ones refuse it."""
    import great_expectations.expectations as gxe

    between = gxe.ExpectColumnValuesToBeBetween
    contain = gxe.ExpectColumnDistinctValuesToContainSet
    asked: list[Expectation] = [
        gxe.ExpectColumnValuesToBeNull(
            column="bad",
            mostly=1 - config.max_bad,
            severity="critical",
            notes=f"at most {100 * config.max_bad:g} % of the samples are set aside",
        ),
        gxe.ExpectColumnValuesToBeUnique(column="sample_id", severity="warning", notes="no sample stands twice"),
        contain(
            column="split",
            value_set=[*SPLITS, GATE] if config.gate else SPLITS,
            severity="warning",
            notes="every side of the split has samples",
        ),
        between(column="sides_of_group", max_value=1, severity="critical", notes="no group on two sides of the split"),
    ]
    if config.label:
        asked += [
            gxe.ExpectColumnUniqueValueCountToBeBetween(
                column="label", min_value=2, severity="critical", notes="at least two classes"
            ),
            contain(column="label", value_set=classes, severity="warning", notes="every class has samples"),
            contain(column="class_on_all_sides", value_set=classes, severity="info", notes=_ON_ALL_SIDES),
            between(column="labels_of_sample", max_value=1, severity="warning", notes="no sample has two labels"),
        ]
    if config.modality in ("image", "audio", "text"):
        notes = "no near-duplicates on two sides of the split"
        asked.append(between(column="sides_of_likes", max_value=1, severity="warning", notes=notes))
    if config.modality == "text":
        severity = "critical" if config.names_label == "block" else "info"
        notes = "no text names its label or a file word for word"
        asked.append(gxe.ExpectColumnValuesToBeNull(column="names", severity=severity, notes=notes))
    for column, low, high, notes in _LIMITS[config.modality]:
        asked.append(between(column=column, min_value=low, max_value=high, severity="warning", notes=notes))
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
