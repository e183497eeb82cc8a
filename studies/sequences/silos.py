"""Real sequences: each setting's part of params.yaml, its silos made where need be."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from studies.place import Place
from studies.silos import PHOTO_ENCODERS

SMALL = "&input_size=[3,160,160]&crop_pct=1"
ENCODERS = {"audio": "builtin/logmel", "image": "builtin/emoji", "text": "builtin/minilm"}
MOSI = ("text", "audio", "video")


def data_set(name: str, modalities: list[str], shots: list[int], _: Path, data: Path) -> dict[str, Any]:
    """Silos of a data set as they are, the first one as the target: frames, raw patches, tokens."""
    silos = {
        one: {"modality": one, "path": str(data / "datasets" / name / f"{one}_silo"), "encoder": ENCODERS[one]}
        for one in modalities
    }
    return {"target": modalities[0], "silos": silos, "trunk": {"shots": shots}}


def frozen(folder: Path, data: Path) -> dict[str, Any]:
    """caltech50 as cells of MobileNetV2 and embeddings of MiniLM: the paper's vision-text form with small networks."""
    params = data_set("caltech50", ["image", "text"], [4, 16], folder, data)
    encoder, weights = PHOTO_ENCODERS["MobileNetV2"]
    params["silos"]["image"] |= {"encoder": encoder + SMALL, "checkpoint": Place(folder, data).weights(weights)}
    params["trunk"]["ssl"] = {"inputs": {"image": "frozen", "text": "frozen"}}
    return params


def mosi(target: str, folder: Path, data: Path) -> dict[str, Any]:
    """A video is the sequence of its utterances' features; a class says whether more of them are positive than in the
    median training video (only one test video has a negative majority). The official test videos alone, split anew:
    features of the others are fitted to labels. Auxiliary silos lack the test videos.
    """
    for name in MOSI:
        _videos(data / "datasets" / "mosi", name, folder / f"{name}.npz", tested=name == target)
    order = [target, *(name for name in MOSI if name != target)]
    silos = {name: {"modality": "series", "path": f"{name}.npz"} for name in order}
    network = {"longest": 64}  # utterances
    ssl = {"network": network, "keep": "best", "steps": 100}  # within which 16 videos are learnt by heart
    return {"target": target, "silos": silos, "trunk": {"shots": [8], "ssl": ssl}}


def _videos(source: Path, name: str, file: Path, tested: bool) -> None:
    """Write one modality as ragged sequences, utterances in the order in which they were said."""
    arrays = np.load(source / f"{name}_silo" / "features.npz")
    split = pd.read_csv(source / "split_test_videos_only.csv")["split"]
    rows = pd.DataFrame({key: arrays[key] for key in ("video_id", "utterance_index", "y")}).assign(split=split)
    rows = rows[rows["split"] != "unused"].sort_values(["video_id", "utterance_index"])
    videos = rows.groupby("video_id").agg(steps=("y", "size"), share=("y", "mean"), split=("split", "first"))
    label = np.where(videos["share"] > videos["share"][videos["split"] == "train"].median(), "positive", "negative")
    kept = videos["split"].isin(["train", "val", *(["test"] if tested else [])])
    x = arrays["x"][rows.index[rows["video_id"].map(kept)]]
    np.savez(
        file,
        x=x,
        offsets=np.concatenate([[0], videos["steps"][kept].cumsum()]),
        label=label[kept],
        split=videos["split"][kept].to_numpy(str),
    )


SETTINGS: dict[str, Callable[[Path, Path], dict[str, Any]]] = {
    "sounds": partial(data_set, "esc10", ["audio", "image", "text"], [4, 24]),
    "digits": partial(data_set, "mnist_fsdd", ["audio", "image", "text"], [4, 72]),
    **{f"mosi_{target}": partial(mosi, target) for target in MOSI},
    "photos": partial(data_set, "caltech50", ["image", "text"], [4, 16]),
    "photos_frozen": frozen,
}
"""By name: given the study's folder and that of the data."""
