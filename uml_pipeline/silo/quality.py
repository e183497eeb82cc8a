"""Is a silo sound? What is counted of it, and the verdict of a Great Expectations suite over its manifest."""

from collections import Counter
from typing import Any

import pandas as pd

from uml_pipeline.errors import UserError
from uml_pipeline.silo import near
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.silo.manifest import CONTENT
from uml_pipeline.silo.splits import SPLITS
from uml_pipeline.silo.suite import suite, validate

_NAMED, _LONGEST = 3, 80  # bad samples of a reason, and letters of a name (texts are their own names)
# What to do where a critical expectation about this column fails.
_FIXES = {
    "bad": "mend or remove them, or raise `max_bad` in params.yaml",
    "label": "give the silo good samples of at least two classes, or set `label: null` if it has no classes",
    "names": "reword the texts, or set `names_label: exclude` to leave them out, or `warn`",
    "sides_of_group": "move each group to one side of the `split` column, or remove that column",
}


def assess(table: pd.DataFrame, classes: list[str], config: SiloConfig) -> dict[str, Any]:
    """What was counted and expected of a silo, and whether it `passed`: the content of quality.json.

    Args:
        table: the whole manifest, bad rows included, splits assigned.
        classes: names of all classes, also of those without a sample.
        config: of the silo.
    """
    good = table[table["bad"].isna()]
    frame = measured(table, config)
    expectations = [told(result) for result in validate(frame, suite(classes, config))]
    return {
        "rows": len(table),
        "good": len(good),
        "bad": dict(sorted(Counter(table["bad"].dropna()).items())),
        "bad_samples": _bad_samples(table, config),
        "classes": int(good["label"].nunique()),
        "groups": int(good["group"].nunique()),
        "splits": {split: int(count) for split, count in good["split"].value_counts().sort_index().items()},
        "copies": int(good["sample_id"].duplicated().sum()),
        "near_duplicates": int(frame["likes"].gt(1).sum()) if "likes" in frame else 0,
        "expectations": expectations,
        "passed": not any(_blocks(one) for one in expectations),
    }


def measured(table: pd.DataFrame, config: SiloConfig) -> pd.DataFrame:
    """The manifest with what bad rows hold blanked (expectations skip what is absent), and derived columns: on how many
    sides of the split stand a sample's group and its near-duplicates (`likes`: how many distinct samples they are), how
    many labels has it, and its class if that is on all sides.
    """
    frame = table.where(table["bad"].isna(), None)
    frame["bad"] = table["bad"]
    frame["sides_of_group"] = frame.groupby("group")["split"].transform("nunique")
    learnt = frame["split"].where(frame["split"].isin(SPLITS))
    sides = learnt.groupby(frame["label"]).transform("nunique")
    frame["class_on_all_sides"] = frame["label"].where(sides == len(SPLITS), None)
    frame["labels_of_sample"] = frame.groupby("sample_id")["label"].transform("nunique")
    if "near" in frame:
        alike = frame.groupby(near.groups(frame["near"], config.modality))
        frame["sides_of_likes"] = alike["split"].transform("nunique")
        frame["likes"] = alike["sample_id"].transform("nunique")
    return frame


def require_sound(quality: dict[str, Any], name: str) -> None:
    """Refuse a silo that fails a critical expectation.

    Raises:
        UserError: naming the expectation.
    """
    for failed in filter(_blocks, quality["expectations"]):
        bad = "; ".join(_counted(quality, reason) for reason in quality["bad"])
        raise UserError(
            f"silo {name!r} is refused, for this is not met: {failed['asks']} (found: {failed['observed']})",
            where=f"{quality['good']} good of {quality['rows']} samples" + (f", bad: {bad}" if bad else ""),
            fix=_FIXES[failed["column"]],
        )


def _bad_samples(table: pd.DataFrame, config: SiloConfig) -> dict[str, list[str]]:
    """The first samples of each reason, so that a person finds them; what is empty has no name."""
    bad = table[table["bad"].notna()]
    names = bad[CONTENT[config.modality]].fillna("").str.slice(0, _LONGEST)
    return {reason: [one for one in some if one][:_NAMED] for reason, some in names.groupby(bad["bad"])}


def _counted(quality: dict[str, Any], reason: str) -> str:
    """A reason, how many samples have it, and which."""
    count, names = quality["bad"][reason], quality["bad_samples"][reason]
    return f"{reason}: {count}" + (f" ({', '.join(names)}{', …' * (count > len(names))})" if names else "")


def _blocks(expectation: dict[str, Any]) -> bool:
    return expectation["severity"] == "critical" and not expectation["passed"]


def told(result: Any) -> dict[str, Any]:
    """One result of `validate` as JSON files keep it."""
    config = result.expectation_config
    return {
        "name": config.type,
        "column": config.kwargs["column"],
        "asks": config.notes,
        "passed": bool(result.success),
        "severity": config.severity.value,
        "observed": _observed(result.result),
    }


def _observed(result: dict[str, Any]) -> str:
    if "unexpected_count" in result:
        return f"{result['unexpected_count']} of {result['element_count']} samples are not as expected"
    if "missing_count" in result:
        count, named = result["missing_count"], sorted(map(str, result["partial_missing_list"]))
        if count > len(named):  # some of a set, others in every process
            return f"missing: {count}"
        return f"missing: {', '.join(named)}" if named else "nothing is missing"
    return str(result["observed_value"])
