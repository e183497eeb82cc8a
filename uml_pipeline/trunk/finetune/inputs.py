"""Everything that fine-tuning reads: the target's samples, and the auxiliary silos that the verdicts admit."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, read_config
from uml_pipeline.features.encoders import Encoder
from uml_pipeline.features.samples import Samples
from uml_pipeline.learn.geometry import Array
from uml_pipeline.study import Study
from uml_pipeline.trunk.admission import admitted, classes_of, learnt_from

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Auxiliary:
    """One auxiliary silo: its labelled samples, and what its frozen encoder sees."""

    name: str
    samples: Samples
    x: Array  # [n, d]
    y: Rows  # [n], of `Inputs.union`
    space: str
    fingerprint: str  # of its encoder


@dataclass(frozen=True)
class Inputs:
    """See the module."""

    study: Study
    manifest: pd.DataFrame  # of the target, labelled samples alone
    samples: Samples  # of the target, in the manifest's order
    x: Array  # of the target by its frozen encoder, in the same order
    y: Rows  # of the target, of `classes`
    space: str  # of the target's encoder before it learns
    fingerprint: str
    classes: list[str]  # the target's
    union: list[str]  # the target's first, then those that auxiliary silos add
    used: list[Auxiliary]
    forced: list[Auxiliary]  # controls

    def encoder(self, silo: str) -> Encoder:
        """A new instance of a silo's encoder, for one view of a sample, ready to learn.

        Raises:
            UserError: it cannot be had, or has no network.
        """
        config = self.study.silo(silo).model_copy(update={"flip": False, "crops": 0})
        encoder = create_encoder(config, self.study.folder, read_config(self.study, silo).get("fitted"))
        if encoder.net is None:
            raise UserError(
                f"encoder {encoder.name!r} has no network that could be fine-tuned",
                where=f"params.yaml, silos.{silo}.encoder",
                fix="choose one with weights, such as timm/<name> or transformers/<name>; or set trunk.mode: probe",
            )
        return encoder

    def auxiliary(self, name: str) -> Auxiliary:
        """A silo by its name."""
        return next(one for one in [*self.used, *self.forced] if one.name == name)


def gather(study: Study) -> Inputs:
    """Read manifests, features and verdicts.

    Raises:
        UserError: an upstream artifact is missing, the policy blocks a silo, or the target cannot be learnt.
    """
    used, forced = admitted(study), study.params.trunk.forced
    manifest, x = _table(study, study.target)
    classes = classes_of(study.target, manifest)
    tables = {name: _table(study, name) for name in [*used, *forced]}
    others = {label for table, _ in tables.values() for label in table["label"]}
    union = [*classes, *sorted(others - set(classes))]
    silos = {name: _auxiliary(study, name, *table, union) for name, table in tables.items()}
    own = read_config(study, study.target)
    return Inputs(
        study,
        manifest,
        Samples.of(study, study.target, manifest),
        x,
        number(manifest, classes),
        own["space"],
        own["fingerprint"],
        classes,
        union,
        [silos[name] for name in used],
        [silos[name] for name in forced],
    )


def number(manifest: pd.DataFrame, classes: list[str]) -> Rows:
    """Class number of each row."""
    return pd.Index(classes).get_indexer(pd.Index(manifest["label"])).astype(np.int64)


def _table(study: Study, name: str) -> tuple[pd.DataFrame, Array]:
    manifest, x = learnt_from(study, name)
    known = manifest["label"].notna().to_numpy()
    if not known.any():
        fix = f"label its samples, or take {name!r} out of `silos`"
        raise UserError(f"no sample of {name!r} has a label", where="params.yaml, silos", fix=fix)
    return manifest[known].reset_index(drop=True), x[known]


def _auxiliary(study: Study, name: str, manifest: pd.DataFrame, x: Array, union: list[str]) -> Auxiliary:
    own = read_config(study, name)
    y = number(manifest, union)
    return Auxiliary(name, Samples.of(study, name, manifest), x, y, own["space"], own["fingerprint"])
