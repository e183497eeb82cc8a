"""relevance: whether each auxiliary silo is about the same world as the target."""

import numpy as np

from uml_pipeline.features import read_features
from uml_pipeline.relevance.coverage import coverage
from uml_pipeline.relevance.geometry import agreement
from uml_pipeline.relevance.verdict import judge
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, write_json


def run(study: Study) -> None:
    """Write one verdict a silo, with its evidence. The target's test split is not looked at.

    Raises:
        UserError: an upstream artifact is missing.
    """
    manifest, x = read_features(study, study.target)
    seen = np.flatnonzero(manifest["split"] != "test")
    target = manifest["label"].iloc[seen], x[seen]
    with Workspace(study.folder).writing("relevance") as folder:
        for name in study.auxiliary:
            rows, features = read_features(study, name)
            found = agreement(target, (rows["label"], features), study.params.relevance.permutations)
            verdict, covered = judge(name, found, study.params.relevance), coverage(manifest["label"], rows["label"])
            verdict["reasons"] += covered.reasons()
            verdict |= {"lacking": covered.lacking, "beyond": covered.beyond}
            write_json(folder / f"{name}.json", verdict)
