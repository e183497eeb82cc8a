"""The verdict as Great Expectations sees it: what a good silo is expected to be, and whether this one is."""

from typing import Any

import pandas as pd

from uml_pipeline.relevance.config import RelevanceConfig
from uml_pipeline.silo.quality import told
from uml_pipeline.silo.suite import validate


def expectations(verdict: dict[str, Any], config: RelevanceConfig) -> list[dict[str, Any]]:
    """Results over a table of one row, the verdict: `name`, `column`, `asks`, `passed`, `severity`, `observed`."""
    from great_expectations.expectations import ExpectColumnValuesToBeBetween, ExpectColumnValuesToBeInSet

    severity = "critical" if config.policy == "block" else "warning"
    best = max((one["gain"]["low"] for one in (verdict["alone"], verdict["beside"]) if one), default=None)
    row = {
        "verdict": verdict["verdict"],
        "gain": best,
        "p_value": verdict["p_value"],
        "alarming": bool(verdict["soundness"]["alarming"]),
    }
    asked = [
        ExpectColumnValuesToBeInSet(
            column="verdict",
            value_set=["helps", "cannot tell"],
            severity=severity,
            notes="it does not surely fail to help",
        ),
        ExpectColumnValuesToBeBetween(
            column="gain", min_value=0, strict_min=True, severity="info", notes="its expected gain is surely above zero"
        ),
        ExpectColumnValuesToBeBetween(
            column="p_value", max_value=config.alpha, severity="info", notes="permuted labels would not give as much"
        ),
        ExpectColumnValuesToBeInSet(
            column="alarming",
            value_set=[False],
            severity="warning",
            notes="no labels look wrong, and nothing is copied",
        ),
    ]
    results = validate(pd.DataFrame([row]).astype({"gain": float, "p_value": float}), asked)
    return [(record := told(one)) | {"observed": row[record["column"]]} for one in results]
