"""A shipped model's folder, one file of it damaged and sealed all the same; and sound models on damaged samples."""

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file

from tests.fuzz.corpus import Kind, audio, image, written
from tests.model.shipped import LABELS, shipped
from uml_pipeline.learn.sequence.config import READER, NetworkConfig
from uml_pipeline.learn.sequence.reader import Numbers, Reader, describe
from uml_pipeline.learn.sequence.transformer import Transformer
from uml_pipeline.model import UnimodalModel
from uml_pipeline.model.folder import CONFIG, HASHED, READ, WEIGHTS
from uml_pipeline.model.listing import listed
from uml_pipeline.model.outcomes import outcomes
from uml_pipeline.model.predictions import table, writing
from uml_pipeline.workspace import FINGERPRINT, read_json, seal, write_json

_COLUMNS = {"acid": {"mean": 5.0, "std": 2.0, "median": 5.0, "missing": True}, "kind": {"categories": ["3", "x", "y"]}}
_CHANNELS = {"mean": [[0.0] * 9] * 2, "std": [[1.0] * 9] * 2}
_SAMPLES: dict[str, Any] = {
    "table": [{"acid": 1.5, "kind": "x"}, {"acid": None, "kind": "y"}],
    "series": [np.ones((5, 2)), np.arange(8.0).reshape(4, 2)],
}


def kinds() -> Iterator[Kind]:
    """All of them."""
    for modality in _SAMPLES:
        for name in HASHED:
            yield Kind(
                f"{modality} model, {name}",
                f"model/{name}",
                (_model(modality) / name).read_bytes(),
                _opened(modality, name),
            )
    yield Kind("model's seal", f"model/{FINGERPRINT}", (_model("table") / FINGERPRINT).read_bytes(), _opened("table"))
    yield Kind("predict, PNG", "new/a.png", image("PNG").sound, _predicted("image"))
    yield Kind("predict, WAV", "new/a.wav", audio("WAV").sound, _predicted("audio"))
    yield Kind("predict, csv", "new/rows.csv", b"acid,kind\n1.5,x\n,3\nNaN,y\n", _predicted("table"))
    yield Kind("predict, jsonl", "new/rows.jsonl", b'{"acid": 1.5, "kind": "x"}\n{"acid": 9}\n', _predicted("table"))
    series = written(lambda file: np.savez(file, x=np.arange(24, dtype=np.float32).reshape(3, 4, 2)))
    yield Kind("predict, npz", "new/x.npz", series, _predicted("series"))


@cache
def _model(modality: str) -> Path:
    """A sound one, made once a process."""
    folder = Path(tempfile.mkdtemp()) / "model"
    atexit.register(shutil.rmtree, folder.parent)
    encoders = {
        "image": ("builtin/emoji", None),
        "audio": ("builtin/logmel", None),
        "table": ("builtin/table", _COLUMNS),
        "series": ("builtin/series", _CHANNELS),
    }
    shipped(folder, modality, *encoders[modality])
    if modality == "series":
        _read_by_a_transformer(folder)
    return folder


def _read_by_a_transformer(folder: Path) -> None:
    """As mode `ssl` ships it."""
    network = NetworkConfig(width=8, layers=1, heads=2, hidden=16)
    reader = Reader(Numbers(torch.zeros(2), torch.ones(2), network.width), Transformer(network))
    own = {READER + name: one.numpy() for name, one in reader.state_dict().items()}
    weight = np.random.default_rng(0).normal(size=(len(LABELS), network.width)).astype(np.float32)
    save_file(own | {"weight": weight, "bias": np.zeros(len(LABELS), np.float32)}, folder / WEIGHTS)
    config = read_json(folder / CONFIG) | {"preprocessing": READ}
    write_json(folder / CONFIG, config | {"reader": describe(reader, network) | {"steps": "raw"}})
    seal(folder)


def _opened(modality: str, damaged: str | None = None) -> Callable[[Path], object]:
    """Put the sound files beside the damaged one and recognise something with it."""

    def read(scratch: Path) -> None:
        folder = scratch / "model"
        for file in _model(modality).iterdir():
            if file.name not in (damaged, None if damaged else FINGERPRINT):
                (folder / file.name).write_bytes(file.read_bytes())
        if damaged:
            seal(folder)
        model = UnimodalModel.load(folder)
        shares = model.predict_proba(_SAMPLES[modality])
        assert np.isfinite(shares).all()
        assert np.allclose(shares.sum(1), 1, atol=1e-4)
        assert all(isinstance(label, str) for label in model.predict(_SAMPLES[modality]).tolist())

    return read


def _predicted(modality: str) -> Callable[[Path], object]:
    """As `uml predict FOLDER --out FILE` does."""

    def read(scratch: Path) -> None:
        model = UnimodalModel.load(_model(modality))
        with writing(scratch / "found.jsonl") as append:
            for some in outcomes(model, listed([str(scratch / "new")], model)):
                rows = table(model, some, 3)
                assert (rows["label"].isin(LABELS) != rows["error"].notna()).all()
                assert rows["probability"].dropna().between(0, 1).all()
                append(rows)

    return read
