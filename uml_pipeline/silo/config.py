"""`silos.<name>` of params.yaml."""

from typing import Any, Literal

from pydantic import Field, model_validator

from uml_pipeline.config import Config

Modality = Literal["image", "audio", "text", "table", "series", "vector"]
Format = Literal["folder", "csv", "tsv", "parquet", "jsonl", "datasets", "webdataset", "affect", "npz"]
DEFAULT_ENCODERS: dict[str, str] = {
    "image": "timm/vit_small_patch14_dinov2.lvd142m",
    "audio": "builtin/logmel",
    "text": "builtin/minilm",
    "table": "builtin/table",
    "series": "builtin/series",
    "vector": "vectors",
}


class SiloConfig(Config):
    """One silo: where its samples are, how to read them, and which frozen encoder sees them."""

    modality: Modality
    """What a sample is: image, audio, text, table (a row of cells), series (steps x channels) or vector."""
    path: str
    """A file or folder, relative to the study; or an fsspec URL (`s3://bucket/photos`) for folders and tables."""
    format: Format | None = None
    """How the samples are stored; detected where absent. `folder`: one folder a class. `csv`, `tsv`, `parquet`,
    `jsonl`: a table of texts or of cells; or `path` is a folder, and its `manifest.csv` (or the like) lists its files.
    `datasets`: Hugging Face `save_to_disk`. `webdataset`: tar shards. `affect`: a MultiBench pickle. `npz`: NumPy
    arrays of vectors or sequences."""
    encoder: str
    """`builtin/<name>`, `timm/<name>` (image), `transformers/<name or folder>`, or a plug-in's. Keyword arguments
    follow a question mark: `timm/mobilenetv2_100?pad_type=same`. Absent: the modality's default."""
    checkpoint: str | None = None
    """Local safetensors weights for a `timm/` or `yamnet/` encoder; without it, the hub's pretrained weights."""
    flip: bool = False
    """Images: encode the mirrored view too."""
    crops: int = Field(default=0, ge=0, le=32)
    """Images: encode that many random crops too; which ones is fixed by the sample's content."""
    file: str = "path"
    """Tables: the column with a file's path, relative to the table (images, audio; `features.npz#3` is row 3).
    datasets: the column of images or sounds; webdataset: which extension, where a sample has several."""
    text: str = "text"
    """Tables and datasets: the column with the text; webdataset: the field of the .json."""
    label: str | None = "label"
    """The column (or field, or array) with the class name. `null`: the silo has no labels."""
    group: str | None = None
    """Column (of the table, or of the folder's metadata.csv) that says who made a sample. A group never stands on two
    sides of a split."""
    columns: list[str] | None = None
    """Modality table and series: the columns that are the sample; absent: all that have no other part here."""
    series: str | None = None
    """Modality series in a table of one row a step: the column that names the series a step belongs to. Absent: one
    row is one series, its columns are the steps."""
    array: str | None = None
    """npz: the name of the array with the samples; affect: the modality in the pickle (vision, audio, text); datasets:
    the column of lists."""
    synonyms: dict[str, str] = Field(default_factory=dict)
    """Label in this silo: class name in the study. Labels line up between silos by name."""
    names_label: Literal["warn", "exclude", "block"] = "warn"
    """Texts that name their label or their file word for word are counted; they may also be left out, or stop the
    pipeline."""
    owner: str | None = Field(
        default=None, pattern=r"^([A-Za-z0-9_][A-Za-z0-9._%+-]*@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}|team:[\w-]+)$"
    )
    """Who answers for the silo, as Dagster shows it: an e-mail address, or `team:` and its name."""
    seed: int = 0
    """Of the split, where there is no official one."""
    gate: float = Field(default=0, ge=0, lt=1)
    """Target: share of samples (or groups) kept for judging new models against the released one, and for nothing
    else. 0: none, unless the silo has an official split of that name."""
    max_bad: float = Field(default=0.1, ge=0, le=1)
    """Share of samples that may be quarantined before the silo is refused."""

    @model_validator(mode="before")
    @classmethod
    def _default_encoder(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("encoder") is None and values.get("modality") in DEFAULT_ENCODERS:
            return values | {"encoder": DEFAULT_ENCODERS[values["modality"]]}
        return values
