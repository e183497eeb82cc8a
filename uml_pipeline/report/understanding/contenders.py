"""The two models that are compared after training, one with auxiliary silos and one without, on held-out samples."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from uml_pipeline.features import read_features
from uml_pipeline.features.samples import Samples
from uml_pipeline.learn.geometry import Array
from uml_pipeline.learn.splits import held_out
from uml_pipeline.model import UnimodalModel
from uml_pipeline.report.understanding.reasons import CannotSay
from uml_pipeline.silo import read_manifest
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, read_json

if TYPE_CHECKING:
    import pandas as pd

MOST = 2000
"""Test samples that are looked at: distances between all of them are asked for."""


@dataclass(frozen=True)
class Contender:
    """A model with what it sees of the test samples."""

    method: str
    label: str
    shipped: bool
    model: UnimodalModel
    features: Array  # [sample, d], of its encoder

    @cached_property
    def inputs(self) -> Array:
        """What the head reads: [sample, d]."""
        return self.model.inputs(self.features)

    @cached_property
    def logits(self) -> Array:
        """[sample, class]."""
        return self.model.logits(self.features)

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class of each sample: [sample]."""
        return self.logits.argmax(1)

    def describe(self) -> dict[str, Any]:
        """For JSON."""
        return {"method": self.method, "label": self.label, "shipped": self.shipped}


@dataclass(frozen=True)
class Contest:
    """Both contenders on the same labelled test samples of the target."""

    ours: Contender
    """With auxiliary silos: what ships, or what would have shipped, had it been better beyond noise."""
    baseline: Contender
    rows: "pd.DataFrame"  # [sample], of the manifest
    y: NDArray[np.int64]  # [sample]
    labels: list[str]
    frozen: bool
    """Whether both read the same features of one frozen encoder."""

    @property
    def both(self) -> dict[str, Contender]:
        """By their part."""
        return {"ours": self.ours, "baseline": self.baseline}


def contest(study: Study) -> Contest:
    """Open both models and show them the test samples: the report is where these are read.

    Raises:
        CannotSay: there is no model with auxiliary silos, or the mode keeps none that could be looked into.
        UserError: a stage before the report has not run.
    """
    workspace, mode = Workspace(study.folder), study.params.trunk.mode
    if mode == "ssl":
        raise CannotSay("mode ssl learns a representation for each arm, and keeps that of the shipped model alone")
    trunk = workspace.reading("trunk")
    config, metrics = read_json(trunk / "config.json"), read_json(trunk / "metrics.json")
    name = "rival" if config.get("rival") else "ships"
    if config[name]["method"] == config["baseline"]["method"]:
        kept = "mode finetune keeps no other model" if mode == "finetune" else "no auxiliary silo was in use"
        raise CannotSay(f"what ships is the baseline, and {kept}")
    shipped = UnimodalModel.load(workspace.reading("model"))
    rows, features = _shown(study, shipped, frozen=mode == "probe")

    def open_(part: str) -> Contender:
        method = config[part]["method"]
        model = _opened(trunk / f"{part}.safetensors", shipped)
        seen = model.features(Samples.of(study, study.target, rows)) if features is None else features
        label = metrics["arms"][method]["label"]
        return Contender(method, label, method == config["ships"]["method"], model, seen)

    index = {label: number for number, label in enumerate(shipped.labels)}
    y = np.array([index[label] for label in rows["label"]], np.int64)
    return Contest(open_(name), open_("baseline"), rows, y, shipped.labels, mode == "probe")


def _opened(path: Path, shipped: UnimodalModel) -> UnimodalModel:
    """A head of the trunk, behind the shipped model's kind of encoder."""
    from safetensors.numpy import load_file

    weights = load_file(path)
    weights["weight"] = weights.pop("head")
    return UnimodalModel(shipped.folder, shipped.config, shipped.labels, weights)


def _shown(study: Study, shipped: UnimodalModel, *, frozen: bool) -> "tuple[pd.DataFrame, Array | None]":
    """Labelled test samples, and their features where an encoder that never changes has seen them."""
    manifest, x = read_features(study, study.target) if frozen else (read_manifest(study, study.target), None)
    places = held_out(manifest)
    places = places[manifest["label"].iloc[places].isin(shipped.labels).to_numpy()]
    if not len(places):
        raise CannotSay("the target has no labelled test sample")
    if len(places) > MOST:
        places = np.sort(np.random.default_rng(0).choice(places, MOST, replace=False))
    return manifest.iloc[places].reset_index(drop=True), None if x is None else x[places]
