"""Everything that mode ssl reads: sequences of the target and of the silos that the verdicts admit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import Tensor

from uml_pipeline.errors import UserError
from uml_pipeline.features.sequences import read_sequences
from uml_pipeline.learn.splits import Rows
from uml_pipeline.study import Study
from uml_pipeline.trunk.admission import admitted, classes_of


@dataclass(frozen=True)
class Inputs:
    """See the module."""

    study: Study
    manifest: pd.DataFrame  # of the target, all good rows
    x: Sequence[Tensor]  # its sequences, in that order
    y: Rows  # its classes, -1 without label
    classes: list[str]
    silos: Mapping[str, Sequence[Tensor]]  # sequences of those in use, then of the forced ones
    forced: list[str]

    @property
    def used(self) -> list[str]:
        """Silos in use."""
        return [name for name in self.silos if name not in self.forced]


def gather(study: Study) -> Inputs:
    """Read manifests, verdicts, and samples as sequences.

    Raises:
        UserError: an upstream artifact is missing, the policy blocks a silo, or the target cannot be learnt.
    """
    used, forced = admitted(study), study.params.trunk.forced
    _require_known(study)
    manifest, x = _sequences(study, study.target)
    classes = classes_of(study.target, manifest)
    y = pd.Index(classes).get_indexer(pd.Index(manifest["label"])).astype(np.int64)
    silos = {name: _sequences(study, name)[1] for name in [*used, *forced]}
    return Inputs(study, manifest, x, y, classes, silos, forced)


def _require_known(study: Study) -> None:
    config = study.params.trunk.ssl
    for name in [*config.weights, *config.ratios]:
        if name not in study.auxiliary:
            fix = f"name one of: {', '.join(study.auxiliary)}"
            raise UserError(f"{name!r} is no auxiliary silo", where="trunk.ssl: weights, ratios", fix=fix)
    for name in config.inputs:
        if name not in study.params.silos:
            fix = f"name one of: {', '.join(study.params.silos)}"
            raise UserError(f"{name!r} is no silo", where="trunk.ssl: inputs", fix=fix)


def _sequences(study: Study, name: str) -> tuple[pd.DataFrame, list[Tensor]]:
    """A silo's good rows, and their sequences: of the samples, or its features as sequences of one step."""
    config = study.params.trunk.ssl
    return read_sequences(study, name, config.network.longest, config.inputs.get(name))
