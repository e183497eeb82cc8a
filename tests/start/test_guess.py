"""What is made of what lies there, without a word of configuration."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from uml_pipeline.errors import UserError
from uml_pipeline.samples import open_container
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.start.guess import guess, name_of


def pictures(folder: Path, *, classes: bool = True) -> str:
    for name in ("cat", "dog"):
        place = folder / "pictures" / (name if classes else "")
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(place / f"{name}.png")
    return "pictures"


def table(folder: Path, name: str, **columns: list) -> str:
    frame = pd.DataFrame(columns)
    write = {".csv": frame.to_csv, ".parquet": frame.to_parquet}[Path(name).suffix]
    write(folder / name, index=False)
    return name


def listed(keys: dict, folder: Path) -> list[dict]:
    """The samples that the guess leads to: it must do as a silo's section."""
    return list(open_container(SiloConfig.model_validate({"encoder": "", **keys}), folder).entries())


SENTENCES = ["a small animal that purrs", "a loyal animal that barks"]


def test_folders_of_pictures(tmp_path: Path) -> None:
    keys = guess(pictures(tmp_path), tmp_path)
    assert keys == {"modality": "image", "path": "pictures"}
    assert [one["label"] for one in listed(keys, tmp_path)] == ["cat", "dog"]


def test_a_heap_of_pictures_has_no_labels(tmp_path: Path) -> None:
    keys = guess(pictures(tmp_path, classes=False), tmp_path)
    assert keys == {"modality": "image", "path": "pictures", "label": None}
    assert len(listed(keys, tmp_path)) == 2


@pytest.mark.parametrize("name", ["notes.csv", "notes.parquet"])
def test_texts_by_the_usual_names(tmp_path: Path, name: str) -> None:
    keys = guess(table(tmp_path, name, text=SENTENCES, label=["cat", "dog"]), tmp_path)
    assert keys == {"modality": "text", "path": name}


def test_texts_by_other_names(tmp_path: Path) -> None:
    keys = guess(table(tmp_path, "notes.csv", Species=["cat", "dog"], remark=SENTENCES, id=[1, 2]), tmp_path)
    assert keys == {"modality": "text", "path": "notes.csv", "text": "remark", "label": "Species"}
    assert [(one["text"], one["label"]) for one in listed(keys, tmp_path)] == list(
        zip(SENTENCES, ["cat", "dog"], strict=True)
    )


def test_rows_of_numbers(tmp_path: Path) -> None:
    keys = guess(table(tmp_path, "rows.csv", weight=[4.0, 30.0], legs=[4, 4], category=["cat", "dog"]), tmp_path)
    assert keys == {"modality": "table", "path": "rows.csv", "label": "category"}
    assert len(listed(keys, tmp_path)) == 2


def test_a_table_without_labels(tmp_path: Path) -> None:
    assert guess(table(tmp_path, "notes.csv", text=SENTENCES), tmp_path)["label"] is None


def test_a_listing_of_files(tmp_path: Path) -> None:
    folder = tmp_path / pictures(tmp_path)
    table(folder, "manifest.csv", file_name=["cat/cat.png", "dog/dog.png"], label=["a", "b"])
    keys = guess("pictures", tmp_path)
    assert keys == {"modality": "image", "path": "pictures", "file": "file_name"}
    assert [one["label"] for one in listed(keys, tmp_path)] == ["a", "b"]


@pytest.mark.parametrize(("shape", "modality"), [((4, 6), "vector"), ((4, 5, 6), "series")])
def test_arrays(tmp_path: Path, shape: tuple[int, ...], modality: str) -> None:
    np.savez(tmp_path / "features.npz", x=np.ones(shape, np.float32), label=np.array(["a", "b"] * 2))
    keys = guess("features.npz", tmp_path)
    assert keys == {"modality": modality, "path": "features.npz"}
    assert len(listed(keys, tmp_path)) == 4


def test_a_saved_dataset(tmp_path: Path) -> None:
    features = {"photo": {"_type": "Image"}, "kind": {"_type": "ClassLabel", "names": ["a"]}}
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "dataset_info.json").write_text(json.dumps({"features": features}))
    assert guess("saved", tmp_path) == {"path": "saved", "modality": "image", "file": "photo", "label": "kind"}


@pytest.mark.parametrize(
    ("name", "why"),
    [("nowhere", "there is nothing"), ("empty", "neither pictures nor sounds"), ("a.xlsx", "unsupported file type")],
)
def test_what_is_not_recognised_is_said(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.xlsx").touch()
    with pytest.raises(UserError, match=why) as caught:
        guess(name, tmp_path)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data/My photos/", "my_photos"),
        ("s3://b/x.tar", "x"),
        ("Notizen für alle.csv", "notizen_fur_alle"),
        ("写真", "silo"),
        ("7.csv", "silo_7"),
        ("..", "silo"),
    ],
)
def test_names(path: str, name: str) -> None:
    assert name_of(path) == name
    assert name.isidentifier()
