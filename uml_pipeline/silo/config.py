"""`silos.<name>` of params.yaml."""

from typing import Literal

from pydantic import Field

from uml_pipeline.config import Config

Modality = Literal["image", "text"]


class SiloConfig(Config):
    """One silo: where its samples are and which frozen encoder sees them."""

    modality: Modality
    """What a sample is."""
    path: str
    """A folder (images: one folder a class) or a table (.csv, .parquet), relative to the study."""
    encoder: str
    """`builtin/<name>`, `timm/<name>` (image) or `transformers/<name or folder>` (text). Keyword arguments of
    `timm.create_model` follow a question mark: `timm/mobilenetv2_100?pad_type=same`."""
    checkpoint: str | None = None
    """Local safetensors weights for a `timm/` encoder; without it, the hub's pretrained weights."""
    text: str = "text"
    """Tables: the column with the text."""
    label: str = "label"
    """Tables: the column with the class name."""
    group: str | None = None
    """Column (of the table, or of the folder's metadata.csv) that says who made a sample. A group never stands on two
    sides of a split."""
    max_bad: float = Field(default=0.1, ge=0, le=1)
    """Share of samples that may be quarantined before the silo is refused."""
