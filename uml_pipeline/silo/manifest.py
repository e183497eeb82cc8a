"""The manifest: one row a sample. Every later stage knows a silo by it."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uml_pipeline.silo.config import Modality
from uml_pipeline.workspace import Workspace, read_json

if TYPE_CHECKING:
    import pandas as pd

    from uml_pipeline.study import Study  # which imports silo.config, and with it this package

MANIFEST, QUALITY = "manifest.parquet", "quality.json"
CONTENT: dict[Modality, str] = {"image": "path", "text": "text"}
FACTS: dict[Modality, tuple[str, ...]] = {"image": ("width", "height"), "text": ("words",)}
_ID_LENGTH = 32  # hex digits of a sha256: 128 bits


def sample_id(content: bytes) -> str:
    """Name of a sample: it changes if and only if the content does."""
    return hashlib.sha256(content).hexdigest()[:_ID_LENGTH]


def columns(modality: Modality) -> list[str]:
    """Names of a manifest's columns, in order."""
    return ["sample_id", CONTENT[modality], "label", "group", "split", *FACTS[modality], "bad"]


def frame(rows: list[dict[str, Any]], modality: Modality) -> "pd.DataFrame":
    """Rows as a table, in an order that depends on the samples alone; absent values are None."""
    import pandas as pd

    names = columns(modality)
    order = (CONTENT[modality], "label", "group", "split")
    ordered = sorted(rows, key=lambda row: [row.get(name) or "" for name in order])
    return pd.DataFrame([[row.get(name) for name in names] for row in ordered], columns=names, dtype=object)


def write_manifest(table: "pd.DataFrame", modality: Modality, folder: Path) -> None:
    """Write `folder`/manifest.parquet with the same types whatever the rows hold."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {name: pa.int32() if name in FACTS[modality] else pa.string() for name in columns(modality)}
    arrays = {name: pa.array(table[name], type=kind, from_pandas=True) for name, kind in kinds.items()}
    pq.write_table(pa.table(arrays), folder / MANIFEST)


def read_manifest(study: "Study", name: str) -> "pd.DataFrame":
    """The good samples of a silo: `sample_id`, `path` (relative to the study's folder) or `text`, `label`, `group`,
    `split` (train, val or test), and what was measured (`width`, `height` in pixels; `words`).

    Raises:
        UserError: the silo's stage has not run yet.
    """
    import pandas as pd

    table = pd.read_parquet(Workspace(study.folder).reading("silo", name) / MANIFEST)
    return table[table["bad"].isna()].drop(columns="bad").reset_index(drop=True)


def read_quality(study: "Study", name: str) -> dict[str, Any]:
    """What was counted and expected of a silo: the content of its quality.json.

    Raises:
        UserError: the silo's stage has not run yet.
    """
    return read_json(Workspace(study.folder).reading("silo", name) / QUALITY)
