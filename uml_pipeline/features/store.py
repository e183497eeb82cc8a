"""The feature store: sharded safetensors matrices, a Parquet index by `sample_id`, and what encoder filled it."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.silo.manifest import read_gate, read_manifest
from uml_pipeline.workspace import FINGERPRINT, Workspace, read_json, write_json

if TYPE_CHECKING:
    import pandas as pd

    from uml_pipeline.study import Study

CONFIG, INDEX = "config.json", "index.parquet"
_BYTES = 2**23  # of a shard: what a writer holds in memory, twice
_KEY, _VIEWS = "features", "views"


def write(folder: Path, ids: list[str], vectors: Iterable[np.ndarray], config: dict[str, Any]) -> None:
    """Write the distinct samples `ids` with their vectors [view, dim], which come one by one in that order.

    Of the views, the first goes into each shard's tensor `features` [sample, dim], the others into `views`
    [sample, view, dim].
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from safetensors.numpy import save_file

    source = iter(vectors)
    lengths: list[int] = []
    while first := list(islice(source, 1)):
        rows = _filled(first[0], islice(source, max(1, _BYTES // first[0].nbytes) - 1))
        tensors = {_KEY: np.ascontiguousarray(rows[:, 0])}
        if rows.shape[1] > 1:
            tensors[_VIEWS] = np.ascontiguousarray(rows[:, 1:])
        save_file(tensors, folder / _shard(len(lengths)))
        lengths.append(len(rows))
    shards = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    places = np.concatenate([np.arange(0, dtype=np.int32), *(np.arange(one, dtype=np.int32) for one in lengths)])
    pq.write_table(pa.table({"sample_id": ids, "shard": shards, "row": places}), folder / INDEX)
    write_json(folder / CONFIG, config)


def _filled(first: np.ndarray, others: Iterable[np.ndarray]) -> np.ndarray:
    """All of them as one array, float32 [sample, view, dim], never held twice."""
    rows = np.empty((max(1, _BYTES // first.nbytes), *first.shape), np.float32)
    rows[0] = first
    count = 1
    for count, vector in enumerate(others, start=2):
        rows[count - 1] = vector
    return rows[:count]


def read_config(study: "Study", name: str) -> dict[str, Any]:
    """The encoder that made a silo's features: `encoder`, `modality`, `dim`, `space`, `fingerprint`.

    Raises:
        UserError: the silo's features are not there yet.
    """
    return read_json(Workspace(study.folder).reading("features", name) / CONFIG)


def read_features(study: "Study", name: str) -> "tuple[pd.DataFrame, np.ndarray]":
    """The good rows of a silo's manifest, and their vectors: float32 [row, dim]. The gate is not among them, nor are
    copies of it in auxiliary silos.

    Raises:
        UserError: manifest or features are not there yet, or the features are of an older manifest.
    """
    return _read(study, name, _KEY)


def read_views(study: "Study", name: str) -> "tuple[pd.DataFrame, np.ndarray]":
    """The good rows of a silo's manifest, and the vectors of their further views (mirrored, crops): float32
    [row, view, dim].

    Raises:
        UserError: as `read_features`, or the silo was encoded without further views.
    """
    return _read(study, name, _VIEWS)


def shards(folder: Path, key: str = _KEY) -> Iterator[np.ndarray]:
    """The matrices of a complete store in the order of its index, memory-mapped: float32 [sample, dim]."""
    for path in sorted(folder.glob("shard-*.safetensors")):
        yield _mapped(path, key)


def gather(folder: Path, ids: list[str], key: str = _KEY) -> np.ndarray:
    """Vectors of samples from a complete store: float32 [sample, dim].

    Raises:
        KeyError: a sample, or the whole key, is not in the store.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    index = pq.read_table(folder / INDEX)
    rows = pd.Index(index["sample_id"].to_pandas()).get_indexer(pd.Index(ids))
    if (rows < 0).any():
        raise KeyError(ids[int(np.argmin(rows))])
    shard, row = index["shard"].to_numpy()[rows], index["row"].to_numpy()[rows]
    matrices = dict(enumerate(shards(folder, key)))
    shape = matrices[0].shape[1:] if matrices else (read_json(folder / CONFIG)["dim"],)
    vectors = np.empty((len(ids), *shape), np.float32)
    for number in np.unique(shard):
        here = np.flatnonzero(shard == number)
        vectors[here] = matrices[number][row[here]]
    return vectors


def mirror(folder: Path, url: str) -> None:
    """Copy a complete store to `url`/<silo> on any file system that fsspec knows; what says that it is whole is last.

    Raises:
        UserError: no such file system, or it refuses the files.
    """
    from fsspec.core import url_to_fs

    target = f"{url.rstrip('/')}/{folder.name}"
    try:
        system, path = url_to_fs(target)
        if system.exists(path):
            system.rm(path, recursive=True)
        system.makedirs(path, exist_ok=True)
        for file in sorted(folder.iterdir(), key=lambda file: file.name == FINGERPRINT):
            system.put_file(str(file), f"{path}/{file.name}")
    except (OSError, ValueError, ImportError) as error:
        fix = "correct `features.output` in params.yaml, or give it write access"
        raise UserError("the features cannot be copied there", where=f"{target}: {error}", fix=fix) from None


def _read(study: "Study", name: str, key: str) -> "tuple[pd.DataFrame, np.ndarray]":
    folder = Workspace(study.folder).reading("features", name)
    manifest = read_manifest(study, name)
    if name != study.target:  # copies of what judges the model teach nobody
        manifest = manifest[~manifest["sample_id"].isin(_judging(study))].reset_index(drop=True)
    try:
        return manifest, gather(folder, manifest["sample_id"].tolist(), key)
    except KeyError as error:
        if error.args == (key,):
            fix = f"set `flip: true` or `crops` for it, and make them: `uml features {name}`"
            raise UserError(f"the features of {name!r} have no {key}", where=str(folder), fix=fix) from None
        raise UserError(
            f"the features of {name!r} are older than its manifest",
            where=str(folder),
            fix=f"make them again: `uml features {name}`",
        ) from None


def _judging(study: "Study") -> set[str]:
    """Ids of the samples in the gate; none while the target's manifest is not there."""
    there = (Workspace(study.folder).folder("silo", study.target) / FINGERPRINT).is_file()
    return set(read_gate(study)["sample_id"]) if there else set()


def _mapped(path: Path, key: str) -> np.ndarray:
    """One tensor of a safetensors file: 8 bytes with the header's length, the header in JSON, then the data."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(length))[key]
    start = 8 + length + entry["data_offsets"][0]
    return np.memmap(path, "<f4", "r", start, tuple(entry["shape"]))


def _shard(number: int) -> str:
    return f"shard-{number:05d}.safetensors"
