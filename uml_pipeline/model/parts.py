"""The parts of a model's folder: read, and held against each other, since somebody else may have written them."""

from pathlib import Path
from typing import Any, get_args

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.features.steps import Steps
from uml_pipeline.learn.geometry import Array
from uml_pipeline.model.folder import CONFIG, LABELS, PLAIN, READ, WEIGHTS, opening, require_sealed
from uml_pipeline.workspace import read_json

Parts = tuple[dict[str, Any], list[str], dict[str, Array]]
"""Configuration, labels, and weights by name."""


def read_parts(folder: Path) -> Parts:
    """Of a model that is whole.

    Raises:
        UserError: it is no model folder, its files are not those that it was sealed with, or do not fit each other.
    """
    from safetensors.numpy import load_file

    require_sealed(folder)
    with opening(folder):
        config, labels = (read_json(folder / name) for name in (CONFIG, LABELS))
        weights = load_file(folder / WEIGHTS)
        for key in ("encoder", "fingerprint", "modality", "dim"):
            config["encoder"][key]  # what prediction will ask for
        if "centre" not in weights and config["preprocessing"] not in (PLAIN, READ):
            raise KeyError("centre")
        if "reader" in config and config["reader"]["steps"] not in get_args(Steps):
            raise KeyError("steps")
        fit = _named(labels) and _fit(config, len(labels), weights)
    if not fit:
        what = "the model's configuration, weights and labels do not fit each other"
        raise UserError(what, where=str(folder), fix="make the model again: `uml model`")
    return config, labels, weights


def _named(labels: Any) -> bool:
    """Whether they are distinct names."""
    return isinstance(labels, list) and all(isinstance(one, str) for one in labels) and len(set(labels)) == len(labels)


def _fit(config: dict[str, Any], classes: int, weights: dict[str, Array]) -> bool:
    """Whether all speak of one modality, one width and so many classes. A reader's width is its own."""
    read, width = config.get("preprocessing") == READ, weights["weight"].shape[-1]
    wanted = {"weight": (classes, width), "centre": (width,), "bias": (classes,)}
    return (
        config["modality"] == config["encoder"]["modality"]
        and ("reader" in config) == read
        and (read or config["encoder"]["dim"] == width)
        and all(weights[name].shape == shape for name, shape in wanted.items() if name in weights)
        and all(np.issubdtype(weights[name].dtype, np.floating) for name in wanted if name in weights)
    )
