"""The manifest: one row a sample. Every later stage knows a silo by it."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uml_pipeline.silo.config import Modality
from uml_pipeline.workers import chunks
from uml_pipeline.workspace import Workspace, read_json

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from uml_pipeline.samples import Sample
    from uml_pipeline.study import Study  # which imports silo.config, and with it this package

MANIFEST, QUALITY = "manifest.parquet", "quality.json"
GATE = "gate"
"""The side of the split that judges a new model against the released one: `read_manifest` keeps it from all others."""
Row = dict[str, Any]
CONTENT: dict[Modality, str] = {
    "image": "path",
    "audio": "path",
    "text": "text",
    "table": "path",
    "series": "path",
    "vector": "path",
}
FACTS: dict[Modality, dict[str, str]] = {
    "image": {"width": "int32", "height": "int32", "near": "string"},
    "audio": {"seconds": "float", "rate": "int32", "peak": "float", "clipped": "float", "near": "string"},
    "text": {"words": "int32", "near": "string", "names": "string"},
    "table": {"cells": "int32", "missing": "float"},
    "series": {"steps": "int32", "channels": "int32", "missing": "float"},
    "vector": {"width": "int32"},
}
"""What is measured: its column, and Arrow's name of the type. Shares are from 0 to 1, pixels and steps are counted,
`rate` is in Hz, `peak` is 1 at full scale. Samples with equal or similar `near` are near-duplicates."""
_ID_LENGTH = 32  # hex digits of a sha256: 128 bits
_AT_ONCE = 1024  # rows that wait as Python objects


def sample_id(sample: "Sample") -> str:
    """Name of a sample: it changes if and only if the content does."""
    return hashlib.sha256(_content(sample)).hexdigest()[:_ID_LENGTH]


def _content(sample: "Sample") -> bytes:
    if isinstance(sample, bytes):
        return sample
    if isinstance(sample, str):
        return sample.encode()
    if isinstance(sample, Path):
        return sample.read_bytes()
    if isinstance(sample, dict):
        return json.dumps(sample, sort_keys=True, default=str).encode()
    return f"{sample.shape}".encode() + sample.tobytes()


def columns(modality: Modality) -> list[str]:
    """Names of a manifest's columns, in order."""
    return ["sample_id", CONTENT[modality], "label", "group", "split", *FACTS[modality], "bad"]


def frame(rows: Iterable[Row], modality: Modality) -> "pd.DataFrame":
    """Rows as a table, in an order that depends on the samples alone; few of them wait as Python objects."""
    import pyarrow as pa

    schema = _schema(modality)
    names = schema.names
    parts = [
        pa.RecordBatch.from_pylist([{name: row.get(name) for name in names} for row in some], schema)
        for some in chunks(rows, _AT_ONCE)
    ]
    order = [(name, "ascending") for name in (CONTENT[modality], "label", "group", "split", "bad")]
    return pa.Table.from_batches(parts, schema).sort_by(order).to_pandas()


def write_manifest(table: "pd.DataFrame", modality: Modality, folder: Path) -> None:
    """Write `folder`/manifest.parquet with the same types whatever the rows hold."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(modality)
    arrays = [pa.array(table[field.name], type=field.type, from_pandas=True) for field in schema]
    pq.write_table(pa.table(arrays, schema), folder / MANIFEST)


def _schema(modality: Modality) -> "pa.Schema":
    import pyarrow as pa

    kinds = FACTS[modality]
    return pa.schema([(name, pa.type_for_alias(kinds.get(name, "string"))) for name in columns(modality)])


def read_manifest(study: "Study", name: str) -> "pd.DataFrame":
    """The good samples of a silo but those of the gate: `sample_id`, `path` (relative to the study's folder, or a URL;
    after a `#` the place in that file) or `text`, `label`, `group`, `split` (train, val or test), and what was measured
    (FACTS).

    Raises:
        UserError: the silo's stage has not run yet.
    """
    table = _read_good(study, name)
    return table[table["split"] != GATE].reset_index(drop=True)


def read_gate(study: "Study") -> "pd.DataFrame":
    """The target's samples that judge a new model against the released one; no other stage may look at them.

    Raises:
        UserError: the target's stage has not run yet.
    """
    table = _read_good(study, study.target)
    return table[table["split"] == GATE].reset_index(drop=True)


def _read_good(study: "Study", name: str) -> "pd.DataFrame":
    table = read_whole(study, name)
    return table[table["bad"].isna()].drop(columns="bad")


def read_whole(study: "Study", name: str) -> "pd.DataFrame":
    """All samples of a silo, also those set aside, with the reason in `bad`.

    Raises:
        UserError: the silo's stage has not run yet.
    """
    import pandas as pd

    return pd.read_parquet(Workspace(study.folder).reading("silo", name) / MANIFEST)


def read_quality(study: "Study", name: str) -> dict[str, Any]:
    """What was counted and expected of a silo: the content of its quality.json.

    Raises:
        UserError: the silo's stage has not run yet.
    """
    return read_json(Workspace(study.folder).reading("silo", name) / QUALITY)
