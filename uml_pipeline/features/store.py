"""The feature store: sharded safetensors matrices, a Parquet index by `sample_id`, and what encoder filled it."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.silo.manifest import read_manifest
from uml_pipeline.workspace import FINGERPRINT, Workspace, read_json, sha256, write_json

if TYPE_CHECKING:
    import pandas as pd

    from uml_pipeline.study import Study

CONFIG, INDEX = "config.json", "index.parquet"
_ROWS = 65_536  # of a shard
_KEY = "features"


def write(folder: Path, ids: list[str], vectors: np.ndarray, config: dict[str, Any]) -> None:
    """Write the vectors [sample, dim] of the distinct samples `ids`."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from safetensors.numpy import save_file

    for start in range(0, len(ids), _ROWS):
        shard = np.ascontiguousarray(vectors[start : start + _ROWS], np.float32)
        save_file({_KEY: shard}, folder / _shard(start // _ROWS))
    places = np.arange(len(ids), dtype=np.int32)
    pq.write_table(pa.table({"sample_id": ids, "shard": places // _ROWS, "row": places % _ROWS}), folder / INDEX)
    write_json(folder / CONFIG, config)


def read_config(study: "Study", name: str) -> dict[str, Any]:
    """The encoder that made a silo's features: `encoder`, `modality`, `dim`, `space`, `fingerprint`.

    Raises:
        UserError: the silo's features are not there yet.
    """
    return read_json(Workspace(study.folder).reading("features", name) / CONFIG)


def read_features(study: "Study", name: str) -> "tuple[pd.DataFrame, np.ndarray]":
    """The good rows of a silo's manifest, and their vectors: float32 [row, dim].

    Raises:
        UserError: manifest or features are not there yet, or the features are of an older manifest.
    """
    folder = Workspace(study.folder).reading("features", name)
    manifest = read_manifest(study, name)
    try:
        return manifest, gather(folder, manifest["sample_id"].tolist())
    except KeyError:
        raise UserError(
            f"the features of {name!r} are older than its manifest",
            where=str(folder),
            fix=f"make them again: `uml features {name}`",
        ) from None


def gather(folder: Path, ids: list[str]) -> np.ndarray:
    """Vectors of samples from a complete store: float32 [sample, dim].

    Raises:
        KeyError: a sample is not in the store.
    """
    known = _index(folder)
    places = [known[one] for one in ids]
    matrices = {shard: _matrix(folder / _shard(shard)) for shard in sorted({shard for shard, _ in places})}
    return np.stack([matrices[shard][row] for shard, row in places])


def reusable(workspace: Workspace, fingerprint: str, ids: Collection[str]) -> dict[str, np.ndarray]:
    """Vectors of those samples that any silo of the study already has by the same encoder."""
    found: dict[str, np.ndarray] = {}
    for folder in _complete_stores(workspace):
        if read_json(folder / CONFIG)["fingerprint"] == fingerprint and _is_intact(folder):
            mine = sorted(_index(folder).keys() & set(ids) - found.keys())
            if mine:
                found |= zip(mine, gather(folder, mine), strict=True)
    return found


def _complete_stores(workspace: Workspace) -> Iterator[Path]:
    for seal in sorted(workspace.folder("features").glob(f"*/{FINGERPRINT}")):
        if not seal.parent.name.startswith("."):
            yield seal.parent


def _is_intact(folder: Path) -> bool:
    """Whether the files are still what was written: a flaw would be copied from store to store."""
    files = read_json(folder / FINGERPRINT)
    return all((folder / name).is_file() and sha256(folder / name) == digest for name, digest in files.items())


def _index(folder: Path) -> dict[str, tuple[int, int]]:
    import pyarrow.parquet as pq

    table = pq.read_table(folder / INDEX).to_pydict()
    return dict(zip(table["sample_id"], zip(table["shard"], table["row"], strict=True), strict=True))


def _matrix(path: Path) -> np.ndarray:
    from safetensors.numpy import load_file

    return load_file(path)[_KEY]


def _shard(number: int) -> str:
    return f"shard-{number:05d}.safetensors"
