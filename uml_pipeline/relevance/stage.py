"""relevance: whether each auxiliary silo is sound, and about the same world as the target, so that it will help."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import pandas as pd
from torch import Tensor

from uml_pipeline.features.sequences import read_sequences
from uml_pipeline.progress import progress
from uml_pipeline.relevance.coverage import coverage
from uml_pipeline.relevance.expectations import expectations
from uml_pipeline.relevance.geometry import Agreement, agreement
from uml_pipeline.relevance.marginal import Marginals, adjusted
from uml_pipeline.relevance.scene import Side
from uml_pipeline.relevance.soundness import Soundness, examine, write_suspicious
from uml_pipeline.relevance.unlabelled import NETWORK, Foresight, foresee
from uml_pipeline.relevance.verdict import judge
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, write_json


def run(study: Study) -> None:
    """Write one verdict a silo, with its evidence. The target's test split is not looked at.

    Raises:
        UserError: an upstream artifact is missing.
    """
    config = study.params.relevance
    whole = Side.read(study, study.target)
    target = whole.off("test").labelled
    silos = {name: Side.read(study, name) for name in study.auxiliary}
    with progress("relevance, silos", 2 * len(silos)) as advance:
        arranged = {name: _arranged(target, silos, one, config.permutations) for name, one in silos.items()}
        looked = {}
        for name, one in silos.items():
            looked[name] = _examine(whole, target, one, arranged[name], study)
            advance(1)
        aside = {name: one.aside(config.suspicious) for name, one in looked.items()}
        kept = {name: one.without(aside[name]) for name, one in silos.items()}
        marginals = Marginals(target, [one.labelled for one in kept.values()], config.shots, config.alpha)
        found, foreseen, foreseer = {}, {}, _Foreseer(study)
        for name, one in silos.items():
            found[name] = marginals.of(name)
            foreseen[name] = foreseer(name) if config.by == "sequences" or one.labels.isna().all() else None
            advance(1)
    classes = {label for one in (target, *silos.values()) if one.bridges(target) for label in one.labels.dropna()}
    p_values = adjusted(found)
    with Workspace(study.folder).writing("relevance") as folder:
        for name, silo in silos.items():
            covered, soundness = coverage(target.labels, silo.labels), looked[name]
            coupled = silo.bridges(target) or bool(classes & set(silo.labels))
            verdict = judge(
                name,
                arranged[name],
                found[name],
                p_values[name],
                config,
                coupled=coupled,
                foresight=foreseen[name],
            )
            verdict["reasons"] += [*soundness.reasons(), *covered.reasons()]
            verdict |= {"lacking": covered.lacking, "beyond": covered.beyond, "soundness": soundness.evidence()}
            verdict["set_aside"] = sorted(aside[name])
            verdict["expectations"] = expectations(verdict, config)
            write_suspicious(soundness.suspicious, folder / f"{name}-suspicious.parquet")
            write_json(folder / f"{name}.json", verdict)


def _arranged(target: Side, silos: Mapping[str, Side], silo: Side, permutations: int) -> Agreement:
    """How its classes are arranged, beside the target's. A bridge has no arrangement of its own to compare; its samples
    are seen by the target's own encoder, and of a text about their classes they tell as much.
    """
    if silo.bridges(target):
        return Agreement(sorted(set(target.labels) & set(silo.labels.dropna())), None)
    seen = [target, *(one for one in silos.values() if one.bridges(target))]
    ours = pd.concat([one.labels for one in seen]), np.concatenate([one.x for one in seen])
    return agreement(ours, (silo.labels, silo.x), permutations)


def _examine(whole: Side, target: Side, silo: Side, found: Agreement, study: Study) -> Soundness:
    config = study.params.relevance
    return examine(
        whole.rows,
        (target.labels, target.x),
        (silo.rows, silo.x),
        found,
        same_space=silo.bridges(target),
        permutations=config.permutations,
        alpha=config.alpha,
    )


class _Foreseer:
    """Tries silos on their sequences; the target's are read once, if any silo asks for them."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def __call__(self, name: str) -> Foresight:
        train, val = self._target
        return foresee(train, val, read_sequences(self._study, name, NETWORK.longest)[1])

    @cached_property
    def _target(self) -> tuple[list[Tensor], list[Tensor]]:
        rows, x = read_sequences(self._study, self._study.target, NETWORK.longest)
        train, val = ([x[row] for row in np.flatnonzero(rows["split"] == side)] for side in ("train", "val"))
        return train, val
