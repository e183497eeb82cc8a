"""Sound inputs of every kind that the pipeline reads, and the function that reads it."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
import yaml
from PIL import Image

from tests.conftest import PARAMS
from uml_pipeline import lineage
from uml_pipeline.cache import Cache
from uml_pipeline.errors import UserError
from uml_pipeline.samples import open_container
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.silo.measure import measure
from uml_pipeline.silo.stage import look
from uml_pipeline.study import Study

SENTENCES = ["a small animal that purrs", "a loyal animal that barks", "ein Tier 🐕, das bellt", "حيوان صغير"]
LABELS = ["cat", "dog", "dog", "cat"]

NODE = {"step": "model", "version": "ab" * 32, "code": "cd" * 32, "params": {"target": "x"}, "inputs": []}
LINEAGE = {
    **{"study": "mine", "method": "uml", "nodes": [NODE], "git": {"commit": "ef" * 20, "dirty": False}, "seeds": 4},
    "data": {"x": {"path": "data/x", "hash": "0" * 32, "of": "DVC md5"}},
    **{"packages": {"torch": "2.11.0", "dvc": None}, "python": "3.12.1", "machine": "Linux"},
}


@dataclass(frozen=True)
class Kind:
    """One kind of input: its sound bytes, its file's name, and what reads it from a folder where the file lies."""

    name: str
    file: str
    sound: bytes
    read: Callable[[Path], object]


def kinds() -> Iterator[Kind]:
    """All of them."""
    yield Kind("params.yaml", "params.yaml", yaml.safe_dump(PARAMS, sort_keys=False).encode(), Study)
    yield from (
        image(form, size)
        for form, size in (("PNG", 24), ("JPEG", 24), ("GIF", 24), ("WEBP", 24), ("TIFF", 24), ("BMP", 8))
    )
    yield from (audio(form) for form in ("WAV", "FLAC", "OGG", "AIFF"))
    frame = pd.DataFrame({"text": SENTENCES, "label": LABELS, "weight": [4.0, 30.0, None, 2.5]})
    yield _table("csv", frame.to_csv(index=False).encode())
    yield _table("tsv", frame.to_csv(index=False, sep="\t").encode())
    yield _table("jsonl", frame.to_json(orient="records", lines=True, force_ascii=False).encode())
    yield _table("parquet", written(lambda file: frame.to_parquet(file, index=False)))
    yield Kind(
        "table of cells, csv",
        "rows.csv",
        frame[["weight", "label"]].to_csv(index=False).encode(),
        _silo("rows.csv", "table"),
    )
    few = pd.DataFrame({"text": SENTENCES, "label": LABELS, "split": ["train", "train", "val", "test"]})
    yield Kind("labels and splits, csv", "few.csv", few.to_csv(index=False).encode(), _looked_at)
    arrays = {"x": np.ones((4, 6), np.float32), "label": np.array(LABELS)}
    yield Kind("npz", "x.npz", written(lambda file: np.savez(file, **arrays)), _silo("x.npz", "vector"))
    yield Kind("tar shard", "shards/a.tar", _shard(), _silo("shards", "image"))
    listing = b"path,label,split\n1.png,cat,train\n../../etc/passwd,dog,test\n"
    yield Kind("manifest.csv", "photos/manifest.csv", listing, _silo("photos", "image"))
    yield Kind("lineage.json", "lineage.json", json.dumps(LINEAGE).encode(), lineage.read)


def image(form: str, side: int = 16) -> Kind:
    drawn = Image.fromarray(np.arange(side * side * 3, dtype=np.uint8).reshape(side, side, 3))
    content = written(lambda file: drawn.save(file, form))
    return Kind(
        form, f"a.{form.lower()}", content, lambda folder: measure((folder / f"a.{form.lower()}").read_bytes(), "image")
    )


def audio(form: str) -> Kind:
    wave, name = np.sin(np.arange(1600) / 9).astype(np.float32), f"a.{form.lower()}"
    content = written(lambda file: soundfile.write(file, wave, 8000, format=form))
    return Kind(form, name, content, lambda folder: measure((folder / name).read_bytes(), "audio"))


def _table(suffix: str, sound: bytes) -> Kind:
    return Kind(suffix, f"notes.{suffix}", sound, _silo(f"notes.{suffix}", "text"))


def _silo(path: str, modality: Any) -> Callable[[Path], object]:
    """List all samples, and open those that seem to be some; one that is bad does not stop the others."""

    def read(folder: Path) -> None:
        config = SiloConfig(modality=modality, path=path, encoder="")
        container = open_container(config, folder)
        for entry in container.entries():
            if modality != "text" and not entry.get("bad"):
                with suppress(UserError):
                    measure(container.read(entry["path"]), modality)

    return read


def _looked_at(folder: Path) -> None:
    """The manifest of a few labelled samples: every good one has a class and a side."""
    config = SiloConfig(modality="text", path="few.csv", encoder="")
    with Cache(folder, "looked") as cache:
        table = look(config, "few", open_container(config, folder), cache)
    good = table[table["bad"].isna()]
    assert good["label"].str.len().gt(0).all()
    assert good["split"].isin(["train", "val", "test"]).all()


def _shard() -> bytes:
    picture = image("PNG").sound
    files = {"0.png": picture, "0.cls": b"cat", "1.png": picture, "1.cls": b"dog"}

    def write(file: io.BytesIO) -> None:
        with tarfile.open(fileobj=file, mode="w") as tar:
            for name, content in files.items():
                about = tarfile.TarInfo(name)
                about.size = len(content)
                tar.addfile(about, io.BytesIO(content))

    return written(write)


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()
