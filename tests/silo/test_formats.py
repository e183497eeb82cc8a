"""The stage on every modality and format, as a user has them."""

import json

import datasets
import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from PIL import Image

from uml_pipeline.cache import Cache
from uml_pipeline.errors import UserError
from uml_pipeline.features.stage import run as run_features
from uml_pipeline.features.store import read_features
from uml_pipeline.silo import listing, read_manifest, read_quality
from uml_pipeline.silo.docs import write_docs
from uml_pipeline.silo.stage import run
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace

DRAW = np.random.default_rng(0)


@pytest.fixture
def study(tmp_path):
    """`study(path=..., modality=..., ...)`: a study of one silo, `things`."""

    def make(**silo):
        (tmp_path / "params.yaml").write_text(yaml.safe_dump({"target": "things", "silos": {"things": silo}}))
        return Study(tmp_path)

    return make


def made(study):
    """The manifest after both stages; every sample has a vector."""
    run(study, "things")
    run_features(study, "things")
    manifest, vectors = read_features(study, "things")
    assert len(manifest) == len(vectors) > 0
    assert np.isfinite(vectors).all()
    return manifest


def tone(path, pitch, seconds=0.3):
    time = np.arange(int(16_000 * seconds)) / 16_000
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * pitch * time + DRAW.uniform(0, 3)), 16_000)


def sounds(folder):
    for number in range(12):
        tone(folder / ("low" if number % 2 else "high") / f"{number}.flac", 300 if number % 2 else 2000)


def test_audio_folder(study, tmp_path):
    sounds(tmp_path / "sounds")
    manifest = made(study(modality="audio", path="sounds"))
    assert manifest["seconds"].tolist() == pytest.approx([0.3] * 12)
    assert set(manifest["label"]) == {"low", "high"}
    assert (tmp_path / "artifacts" / "silo" / "things" / "contact.png").is_file()


def test_silent_sounds_are_set_aside(study, tmp_path):
    sounds(tmp_path / "sounds")
    soundfile.write(tmp_path / "sounds" / "low" / "nothing.wav", np.zeros(8000), 16_000)
    study = study(modality="audio", path="sounds")
    run(study, "things")
    assert read_quality(study, "things")["bad"] == {"the audio is silent": 1}


def test_folder_with_a_table(study, tmp_path):
    sounds(tmp_path / "sounds")
    lines = [f"{'low' if n % 2 else 'high'}/{n}.flac,{'deep' if n % 2 else 'shrill'}" for n in range(12)]
    (tmp_path / "sounds" / "manifest.csv").write_text("\n".join(["path,label", *lines]))
    manifest = made(study(modality="audio", path="sounds"))
    assert set(manifest["label"]) == {"deep", "shrill"}
    assert manifest["path"].str.startswith("sounds/").all()


def test_a_table_whose_files_dvc_would_not_see_is_refused(study, tmp_path):
    (tmp_path / "list.csv").write_text("path,label\na.png,a\n")
    with pytest.raises(UserError, match=r"call the table in it manifest\.csv"):
        run(study(modality="image", path="list.csv"), "things")


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "jsonl"])
def test_rows(study, tmp_path, kind):
    rows = pd.DataFrame({"height": DRAW.normal(size=40), "colour": ["red", "blue"] * 20, "label": ["a", "b"] * 20})
    rows.loc[3, "height"] = None
    writers = {
        "csv": lambda path: rows.to_csv(path, index=False),
        "tsv": lambda path: rows.to_csv(path, index=False, sep="\t"),
        "parquet": rows.to_parquet,
        "jsonl": lambda path: rows.to_json(path, orient="records", lines=True),
    }
    writers[kind](tmp_path / f"rows.{kind}")
    manifest = made(study(modality="table", path=f"rows.{kind}"))
    assert manifest["missing"].sum() == pytest.approx(0.5)
    examples = json.loads((tmp_path / "artifacts" / "silo" / "things" / "examples.json").read_text())
    assert examples[0]["text"].startswith("height: ")


def test_vectors_and_series_of_numpy(study, tmp_path):
    labels = np.array(["a", "b"] * 20)
    np.savez(tmp_path / "vectors.npz", x=DRAW.normal(size=(40, 5)), label=labels)
    assert set(made(study(modality="vector", path="vectors.npz"))["width"]) == {5}
    np.savez(tmp_path / "series.npz", x=DRAW.normal(size=(40, 9, 2)), label=labels)
    manifest = made(study(modality="series", path="series.npz"))
    assert set(manifest["steps"]) == {9} and set(manifest["channels"]) == {2}


def test_hugging_face_datasets(study, tmp_path):
    pictures = [Image.fromarray(DRAW.integers(0, 255, (32, 32, 3), np.uint8)) for _ in range(12)]
    columns = {"image": pictures, "label": [n % 2 for n in range(12)]}
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})
    datasets.Dataset.from_dict(columns, features).save_to_disk(tmp_path / "pets")
    manifest = made(study(modality="image", path="pets", encoder="builtin/emoji"))
    assert manifest["label"].value_counts().to_dict() == {"cat": 6, "dog": 6}


def texts(path, labels=("a", "b"), count=20):
    lines = [f"sentence {number} about it,{labels[number % 2]}" for number in range(count)]
    path.write_text("\n".join(["text,label", *lines]))


def test_labels_by_other_names_are_the_study_s(study, tmp_path):
    texts(tmp_path / "texts.csv", ("Felis catus", "dog"))
    study = study(modality="text", path="texts.csv", synonyms={"Felis catus": "cat"})
    run(study, "things")
    assert set(read_manifest(study, "things")["label"]) == {"cat", "dog"}


def test_unlabelled_silos(tmp_path):
    texts(tmp_path / "texts.csv")
    silos = {
        "things": {"modality": "text", "path": "texts.csv"},
        "heap": {"modality": "text", "path": "texts.csv", "label": None},
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"target": "things", "silos": silos}))
    study = Study(tmp_path)
    run(study, "heap")
    assert read_manifest(study, "heap")["label"].isna().all()
    assert read_quality(study, "heap")["passed"]
    assert set(read_manifest(study, "heap")["split"]) == {"train", "val", "test"}


def test_the_seed_changes_the_split(study, tmp_path):
    texts(tmp_path / "texts.csv")
    run(study(modality="text", path="texts.csv"), "things")
    before = read_manifest(Study(tmp_path), "things")["split"]
    run(study(modality="text", path="texts.csv", seed=1), "things")
    assert not read_manifest(Study(tmp_path), "things")["split"].equals(before)


@pytest.mark.parametrize(("policy", "good"), [("warn", 20), ("exclude", 18)])
def test_texts_that_name_their_label(study, tmp_path, policy, good):
    texts(tmp_path / "texts.csv", ("sentence 4", "sentence 3"))
    study = study(modality="text", path="texts.csv", names_label=policy)
    run(study, "things")
    assert read_quality(study, "things")["good"] == good


def test_texts_that_name_their_label_may_stop_the_pipeline(study, tmp_path):
    texts(tmp_path / "texts.csv", ("about", "b"))
    with pytest.raises(UserError, match=r"(?s)no text names its label.*10 of 20.*reword the texts"):
        run(study(modality="text", path="texts.csv", names_label="block"), "things")


def test_copies_on_two_sides_of_an_official_split(study, tmp_path):
    lines = [f"text {n},{'ab'[n % 2]},{('train', 'val', 'test')[n % 3]}" for n in range(30)]
    lines += ["text 2,a,train", "text 5,b,val"]  # both are in test
    (tmp_path / "texts.csv").write_text("\n".join(["text,label,split", *lines]))
    study = study(modality="text", path="texts.csv")
    run(study, "things")
    assert read_quality(study, "things")["bad"] == {"a copy of a sample of the test split": 2}
    assert (read_manifest(study, "things").groupby("sample_id")["split"].nunique() == 1).all()


def test_near_duplicates_on_two_sides_are_shown(study, tmp_path):
    lines = [f"text {n},{'ab'[n % 2]},{('train', 'val', 'test')[n % 3]}" for n in range(30)]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label,split", *lines, "Text 2!,a,train"]))
    study = study(modality="text", path="texts.csv")
    run(study, "things")
    quality = read_quality(study, "things")
    assert (quality["near_duplicates"], quality["bad"]) == (2, {})
    [told] = [one for one in quality["expectations"] if one["column"] == "sides_of_likes"]
    assert (told["passed"], told["observed"]) == (False, "2 of 31 samples are not as expected")


def test_a_file_is_decoded_once_in_its_life(study, tmp_path, monkeypatch):
    sounds(tmp_path / "sounds")
    study, decoded = study(modality="audio", path="sounds"), []
    monkeypatch.setattr(listing, "measure", lambda *one, measure=listing.measure: decoded.append(one) or measure(*one))
    run(study, "things")
    first = (tmp_path / "artifacts" / "silo" / "things" / "fingerprint.json").read_bytes()
    assert len(decoded) == 12
    (tmp_path / "sounds" / "low" / "1.flac").rename(tmp_path / "sounds" / "low" / "01.flac")
    tone(tmp_path / "sounds" / "low" / "new.flac", 500)
    run(study, "things")
    assert len(decoded) == 13
    (tmp_path / "sounds" / "low" / "new.flac").unlink()
    (tmp_path / "sounds" / "low" / "01.flac").rename(tmp_path / "sounds" / "low" / "1.flac")
    run(study, "things")
    assert len(decoded) == 13
    assert (tmp_path / "artifacts" / "silo" / "things" / "fingerprint.json").read_bytes() == first


def test_a_damaged_cache_is_made_again(study, tmp_path):
    sounds(tmp_path / "sounds")
    study = study(modality="audio", path="sounds")
    run(study, "things")
    first = (tmp_path / "artifacts" / "silo" / "things" / "fingerprint.json").read_bytes()
    (tmp_path / ".uml" / f"{listing.cache_name('audio')}.db").write_bytes(b"no database")
    run(study, "things")
    assert (tmp_path / "artifacts" / "silo" / "things" / "fingerprint.json").read_bytes() == first


def test_data_docs(study, tmp_path):
    texts(tmp_path / "texts.csv")
    study = study(modality="text", path="texts.csv")
    run(study, "things")
    page = write_docs(study, "things").read_text()
    assert "<html" in page and "sample_id" in page and "Succeeded" in page


def test_the_cache_is_no_artifact(study, tmp_path):
    sounds(tmp_path / "sounds")
    study = study(modality="audio", path="sounds")
    run(study, "things")
    assert not list(Workspace(tmp_path).root.rglob("*.db"))
    with Cache(tmp_path, listing.cache_name("audio")) as cache:
        assert len(list(cache.get(read_manifest(study, "things")["sample_id"]))) == 12
