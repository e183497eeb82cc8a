"""What is true of the shipped model, whatever it learned: read from its folder."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uml_pipeline import lineage
from uml_pipeline.lineage import Branch, Lineage
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, read_json


@dataclass(frozen=True)
class ModelFacts:
    """What is true of the shipped model, whatever it learned."""

    modality: str
    labels: int
    parameters: int
    bytes: int
    told: dict[str, str]
    """What config.json says that a reader asks for, by name."""
    lineage: Lineage
    origin: Branch


def model_facts(study: Study) -> ModelFacts:
    """Read the shipped model's folder; its weights' header only.

    Raises:
        UserError: the model is not made yet, or its lineage is malformed.
    """
    folder = Workspace(study.folder).reading("model")
    config = read_json(folder / "config.json")
    origin = lineage.read(folder)
    weights = folder / "model.safetensors"
    return ModelFacts(
        modality=study.silo(study.target).modality,
        labels=len(read_json(folder / "labels.json")),
        parameters=_parameters(weights),
        bytes=weights.stat().st_size,
        told=_told(config),
        lineage=origin,
        origin=lineage.branches(origin),
    )


def _told(config: dict[str, Any]) -> dict[str, str]:
    """Encoder and training in words. Hashes, and what the encoder learnt of each column, stay in config.json."""
    encoder = config.get("encoder", {})
    rows = {
        "encoder": encoder.get("encoder"),
        "features": encoder.get("dim"),
        "preprocessing": config.get("preprocessing"),
        "trained on": f"{config['samples']} labelled samples" if "samples" in config else None,
    }
    return {name: str(value) for name, value in rows.items() if value is not None}


def _parameters(weights: Path) -> int:
    """How many numbers a safetensors file holds, from its header: 8 bytes of length, then JSON."""
    with weights.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
