"""Which silos are learnt from, and on which episodes: the same in every mode."""

import pandas as pd

from uml_pipeline.errors import UserError
from uml_pipeline.features import read_features
from uml_pipeline.learn.geometry import Array
from uml_pipeline.learn.splits import MOST_VAL, Episode, episodes, is_clean
from uml_pipeline.relevance import read_verdicts, set_aside
from uml_pipeline.study import Study


def admitted(study: Study) -> list[str]:
    """The auxiliary silos in use, by their verdicts. A forced one is a control: it stays out of the arms of others.
    One that no class couples to the target is of use in mode ssl alone.

    Raises:
        UserError: relevance has not run yet, or the policy blocks a silo.
    """
    verdicts, forced = read_verdicts(study), study.params.trunk.forced
    refused = [name for name, verdict in verdicts.items() if verdict["verdict"] in ("harms", "neutral")]
    if refused and study.params.relevance.policy == "block":
        raise UserError(
            f"silos that do not help block training: {', '.join(refused)}",
            where="params.yaml, relevance.policy",
            fix="take them out of `silos`, or set the policy to `exclude` or `warn`",
        )
    labels_needed = study.params.trunk.mode != "ssl"
    used = [name for name, one in verdicts.items() if one["used"] and (one["coupled"] or not labels_needed)]
    return [name for name in used if name not in forced]


def learnt_from(study: Study, name: str) -> tuple[pd.DataFrame, Array]:
    """A silo's good rows and their features [n, d], without the samples that `relevance` has set aside.

    Raises:
        UserError: an upstream artifact is missing.
    """
    manifest, x = read_features(study, name)
    kept = ~manifest["sample_id"].isin(set_aside(study, name))
    return manifest[kept].reset_index(drop=True), x[kept.to_numpy()]


def classes_of(target: str, manifest: pd.DataFrame) -> list[str]:
    """The target's classes, sorted.

    Raises:
        UserError: there are fewer than two.
    """
    classes = sorted(manifest["label"].dropna().unique())
    if len(classes) < 2:
        raise UserError(f"the target {target!r} has {len(classes)} labelled classes", fix="label at least two")
    return classes


def drawn_episodes(
    study: Study, manifest: pd.DataFrame, *, better: int | None = None, most_val: int = MOST_VAL
) -> list[Episode]:
    """All episodes, fewest shots first. `better`: seeds a group to recommend; `most_val`: validation samples a class.

    Raises:
        UserError: so few samples that a side has none, or so few seeds that nothing could be judged off the test split.
    """
    config = study.params.trunk
    drawn = [one for shots in sorted(set(config.shots)) for one in episodes(manifest, shots, config.seeds, most_val)]
    if not any(is_clean(one, manifest) for one in drawn if one.shots == max(config.shots)):
        groups = manifest["group"].nunique()
        wiser = f", better {better * groups}" if better else ""
        raise UserError(
            f"{config.seeds} seeds are too few: no split tests on the held-out group alone",
            where="params.yaml, trunk.seeds",
            fix=f"use at least {groups}{wiser}: the {groups} groups take turns",
        )
    for side in ("train", "val", "test"):
        if not all(len(getattr(one, side)) for one in drawn):
            fix = "give it three different samples of a class or more, or all three sides in its `split` column"
            raise UserError(f"the target has no labelled sample on the side `{side}`", where=study.target, fix=fix)
    return drawn
