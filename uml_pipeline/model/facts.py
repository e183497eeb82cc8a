"""What a model card tells of a study: the numbers, the data, the verdicts; nothing of it is needed to predict."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from uml_pipeline.learn.splits import held_out
from uml_pipeline.relevance import read_verdicts
from uml_pipeline.silo import read_manifest
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, read_json


@dataclass(frozen=True)
class Facts:
    """A study as its model's card sees it."""

    target: str
    group: str | None
    """Column of the target whose groups never stand on two sides of the split."""
    encoder: dict[str, Any]
    config: dict[str, Any]
    """Of the trunk."""
    metrics: dict[str, Any]
    """Of the trunk."""
    verdicts: dict[str, dict[str, Any]]
    """On each auxiliary silo."""
    learnt: "pd.Series[int]"
    """Labelled samples of each class outside of the test split."""
    tested: "pd.Series[int]"
    """Those in it."""

    @classmethod
    def of(cls, study: Study, encoder: dict[str, Any]) -> "Facts":
        """Read them.

        Raises:
            UserError: a stage before the model has not run yet.
        """
        trunk = Workspace(study.folder).reading("trunk")
        config = read_json(trunk / "config.json")
        manifest = read_manifest(study, study.target)
        test = manifest.index.isin(held_out(manifest))
        learnt, tested = (_counts(manifest[side], config["classes"]) for side in (~test, test))
        return cls(
            target=study.target,
            group=study.silo(study.target).group,
            encoder=encoder,
            config=config,
            metrics=read_json(trunk / "metrics.json"),
            verdicts=read_verdicts(study),
            learnt=learnt,
            tested=tested,
        )


def _counts(rows: pd.DataFrame, classes: list[str]) -> "pd.Series[int]":
    return rows["label"].value_counts().reindex(classes, fill_value=0)
