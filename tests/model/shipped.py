"""Models small enough for every test: made by hand, without a study."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from uml_pipeline.features import create_encoder
from uml_pipeline.model.folder import PLAIN, STANDARDISED
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.workspace import seal

LABELS = ["blue", "green", "red"]


def shipped(
    folder: Path,
    modality: Any,
    encoder: str,
    fitted: dict[str, Any] | None = None,
    checkpoint: Path | None = None,
) -> Path:
    """A model of three classes with random weights behind a real encoder."""
    named = SiloConfig(modality=modality, path="", encoder=encoder, checkpoint=str(checkpoint) if checkpoint else None)
    made = create_encoder(named, Path(), fitted)
    folder.mkdir()
    draw = np.random.default_rng(0)
    weights = {"weight": draw.normal(size=(len(LABELS), made.dim)).astype(np.float32)}
    weights |= {"centre": draw.normal(scale=0.01, size=made.dim).astype(np.float32)} if modality != "vector" else {}
    save_file(weights, folder / "model.safetensors")
    (folder / "labels.json").write_text(json.dumps(LABELS))
    preprocessing = STANDARDISED if "centre" in weights else PLAIN
    about = {"modality": modality, "encoder": made.describe(), "preprocessing": preprocessing}
    (folder / "config.json").write_text(json.dumps(about))
    made.export(folder)
    seal(folder)
    return folder


def pictures(folder: Path, count: int) -> list[Path]:
    """Pictures of random size and content in folders of their own."""
    draw = np.random.default_rng(1)
    paths = [folder / f"{number % 3}" / f"{number:03}.png" for number in range(count)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 255, (*draw.integers(20, 90, 2), 3), np.uint8)).save(path)
    return paths
