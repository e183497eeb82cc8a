"""relevance: whether each auxiliary silo is about the same world as the target."""

import numpy as np
import pandas as pd

from uml_pipeline.features import read_config, read_features
from uml_pipeline.relevance.coverage import coverage
from uml_pipeline.relevance.geometry import agreement
from uml_pipeline.relevance.verdict import judge, judge_bridge
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, write_json


def run(study: Study) -> None:
    """Write one verdict a silo, with its evidence. The target's test split is not looked at.

    Raises:
        UserError: an upstream artifact is missing.
    """
    manifest, x = read_features(study, study.target)
    seen = np.flatnonzero(manifest["split"] != "test")
    bridges = [name for name in study.auxiliary if _like_target(study, name)]
    beside = [read_features(study, name) for name in bridges]
    # a bridge's samples are seen by the target's own encoder: of a text about their classes they tell as much
    labels = pd.concat([manifest["label"].iloc[seen], *(rows["label"] for rows, _ in beside)])
    target = labels, np.concatenate([x[seen], *(features for _, features in beside)])
    with Workspace(study.folder).writing("relevance") as folder:
        for name in study.auxiliary:
            rows, features = read_features(study, name)
            covered = coverage(manifest["label"], rows["label"])
            if name in bridges:
                verdict = judge_bridge(name, len(covered.shared))
            else:
                found = agreement(target, (rows["label"], features), study.params.relevance.permutations)
                verdict = judge(name, found, study.params.relevance)
            verdict["reasons"] += covered.reasons()
            verdict |= {"lacking": covered.lacking, "beyond": covered.beyond}
            write_json(folder / f"{name}.json", verdict)


def _like_target(study: Study, name: str) -> bool:
    """Whether it is a bridge: the target's modality, seen by the same encoder."""
    ours, theirs = ((study.silo(one).modality, read_config(study, one)["space"]) for one in (study.target, name))
    return ours == theirs
