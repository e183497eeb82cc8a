"""relevance: whether each auxiliary silo is about the same world as the target, so that it will help."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from uml_pipeline.progress import progress
from uml_pipeline.relevance.coverage import coverage
from uml_pipeline.relevance.geometry import Agreement, agreement
from uml_pipeline.relevance.marginal import Marginals, adjusted
from uml_pipeline.relevance.scene import Side
from uml_pipeline.relevance.verdict import judge
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, write_json


def run(study: Study) -> None:
    """Write one verdict a silo, with its evidence. The target's test split is not looked at.

    Raises:
        UserError: an upstream artifact is missing.
    """
    config = study.params.relevance
    target = Side.read(study, study.target, without="test")
    silos = {name: Side.read(study, name) for name in study.auxiliary}
    marginals = Marginals(target, list(silos.values()), config.shots, config.alpha)
    with progress("relevance, silos", len(silos)) as advance:
        found = {}
        for name in silos:
            found[name] = marginals.of(name)
            advance(1)
    p_values = adjusted(found)
    with Workspace(study.folder).writing("relevance") as folder:
        for name, silo in silos.items():
            covered = coverage(target.labels, silo.labels)
            verdict = judge(
                name, _arranged(target, silos, silo, config.permutations), found[name], p_values[name], config
            )
            verdict["reasons"] += covered.reasons()
            write_json(folder / f"{name}.json", verdict | {"lacking": covered.lacking, "beyond": covered.beyond})


def _arranged(target: Side, silos: Mapping[str, Side], silo: Side, permutations: int) -> Agreement:
    """How its classes are arranged, beside the target's. A bridge has no arrangement of its own to compare; its samples
    are seen by the target's own encoder, and of a text about their classes they tell as much.
    """
    if silo.bridges(target):
        return Agreement(sorted(set(target.labels) & set(silo.labels)), None)
    seen = [target, *(one for one in silos.values() if one.bridges(target))]
    ours = pd.concat([one.labels for one in seen]), np.concatenate([one.x for one in seen])
    return agreement(ours, (silo.labels, silo.x), permutations)
