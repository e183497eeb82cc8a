"""Silos made of parts of the data sets: photos, texts, and what encodes them."""

import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from studies.place import Place

SEEN = "pad_type=same&mean=0.5&std=0.5"  # as weights from TensorFlow were trained
PHOTO_ENCODERS = {
    "MobileNetV2": (f"timm/mobilenetv2_100?{SEEN}", "vision_mobilenetv2_100_tf2_ptq"),
    "MobileNetV1": (f"timm/mobilenetv1_100?{SEEN}", "vision_mobilenetv1_100_tf_features"),
}
TEXT_ENCODERS = ("MiniLM", "WordLlama")
Silo = dict[str, Any]  # an entry of params.yaml's `silos`


def listed(silo: Path) -> pd.DataFrame:
    """A silo's table, files named by their whole path."""
    table = pd.read_csv(silo / "manifest.csv")
    return table.assign(path=[str(silo / path) for path in table["path"]]) if "path" in table else table


def permuted(rows: pd.DataFrame) -> pd.DataFrame:
    """The same samples under the names of other classes: all of the words, or pixels, and none of the meaning."""
    names = sorted(rows["label"].unique())
    others = np.random.default_rng(1).permutation(names)
    return rows.assign(label=rows["label"].map(dict(zip(names, others, strict=True))))


def photos(place: Place, name: str, rows: pd.DataFrame, encoder: str = "MobileNetV2") -> Silo:
    """A silo of the files in `rows`: columns path, label, split."""
    folder = place.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "files").mkdir(parents=True)
    places = [f"files/{number:05}.jpg" for number in range(len(rows))]
    for path, copy in zip(rows["path"], places, strict=True):
        shutil.copyfile(path, folder / copy)
    rows.assign(path=places)[["path", "label", "split"]].to_csv(folder / "manifest.csv", index=False)
    named, weights = PHOTO_ENCODERS[encoder]
    return {"modality": "image", "path": name, "encoder": named, "checkpoint": place.weights(weights)}


def texts(place: Place, name: str, rows: pd.DataFrame, encoder: str = "MiniLM") -> Silo:
    """A silo of the sentences in `rows`: columns text, label, and split where there is one."""
    columns = ["text", "label", *(["split"] if "split" in rows else [])]
    if encoder == "WordLlama":
        return _vectors(place, name, rows[columns])
    rows[columns].to_csv(place.folder / f"{name}.csv", index=False)
    return {"modality": "text", "path": f"{name}.csv", "encoder": "builtin/minilm"}


def _vectors(place: Place, name: str, rows: pd.DataFrame) -> Silo:
    """Mean static vectors, distilled from a language model's token embeddings; the package carries them."""
    import wordllama

    logging.getLogger().setLevel(logging.WARNING)  # it makes every library's progress loud
    own = Path(wordllama.__file__).parent  # the package looks for its tokenizer beside itself, where it does not put it
    model = wordllama.WordLlama.load(cache_dir=own, disable_download=True)
    x = model.embed(rows["text"].tolist(), norm=True)
    rest = {column: rows[column].to_numpy(str) for column in rows.columns if column != "text"}
    np.savez(place.folder / f"{name}.npz", x=x.astype(np.float32), **rest)
    return {"modality": "vector", "path": f"{name}.npz", "encoder": "vectors/wordllama"}
