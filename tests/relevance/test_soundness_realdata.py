import numpy as np
import pandas as pd
import pytest

from uml_pipeline.features.encoders import create_encoder
from uml_pipeline.features.minilm import embed
from uml_pipeline.relevance.geometry import agreement
from uml_pipeline.relevance.soundness import examine
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.silo.manifest import sample_id

pytestmark = pytest.mark.realdata
PHOTOS = 8  # a class


@pytest.fixture(scope="module")
def photos(data_dir):
    """caltech50: some photos of each class, not of its test split, with MobileNetV2's features."""
    folder = data_dir / "datasets" / "caltech50" / "image_silo"
    rows = pd.read_csv(folder / "manifest.csv")
    rows = rows[rows["split"] == "train"].groupby("label").head(PHOTOS).reset_index(drop=True)
    weights = str(data_dir / "weights" / "vision_mobilenetv2_100_tf2_ptq.safetensors")
    name = "timm/mobilenetv2_100?pad_type=same&mean=0.5&std=0.5"
    encoder = create_encoder(SiloConfig(modality="image", path=".", encoder=name, checkpoint=weights), folder)
    x = encoder.encode([folder / path for path in rows["path"]]).reshape(len(rows), -1)
    return rows.assign(sample_id=[sample_id(path) for path in rows["path"]]), x


@pytest.fixture(scope="module")
def sentences(data_dir):
    """Machine-written descriptions of the same classes, with MiniLM's features."""
    rows = pd.read_csv(data_dir / "datasets" / "caltech50" / "text_silo" / "manifest.csv").drop_duplicates("text")
    rows = rows.reset_index(drop=True)
    return rows.assign(sample_id=[sample_id(text) for text in rows["text"]]), embed(rows["text"].tolist())


def examined(photos, rows, x):
    known = photos[0]["label"], photos[1]
    found = agreement(known, (rows["label"], x), 199)
    assert found.cka is not None
    one = examine(photos[0], known, (rows, x), found, same_space=False, permutations=199, alpha=0.05)
    return one, one.evidence()


def test_sound_descriptions_raise_no_alarm(photos, sentences):
    found, kept = examined(photos, *sentences)
    assert kept["alarming"] == []
    assert kept["wrong_labels"]["share"] < 0.01
    assert not any("exchanged" in said or "wrong" in said for said in found.reasons())


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_wrong_labels(photos, sentences, share):
    rows, x = sentences
    draw, classes = np.random.default_rng(0), np.array(sorted(rows["label"].unique()), dtype=object)
    wrong = draw.random(len(rows)) < share
    moved = np.where(wrong, draw.integers(1, len(classes), len(rows)), 0)
    labels = classes[(np.searchsorted(classes, rows["label"]) + moved) % len(classes)]
    found, kept = examined(photos, rows.assign(label=labels), x)
    assert kept["alarming"] == ["LabelNoise"]
    assert kept["wrong_labels"]["low"] <= wrong.mean() <= kept["wrong_labels"]["high"]
    assert "of its labels look wrong" in found.reasons()[0]
    listed = set(found.suspicious.loc[found.suspicious["reason"] == "other looks", "sample_id"])
    hit = rows["sample_id"].isin(listed)
    assert wrong[hit].mean() > 0.8
    assert hit[wrong].mean() > 0.9


def test_two_exchanged_classes(photos, sentences):
    rows, x = sentences
    turned = rows["label"].replace({"anchor": "pizza", "pizza": "anchor"})
    found, kept = examined(photos, rows.assign(label=turned), x)
    assert "TextQuality" in kept["alarming"]
    assert "LabelNoise" not in kept["alarming"]
    assert "'anchor' and 'pizza' seem to be exchanged: the texts of each name the other" in found.reasons()


def test_the_targets_file_names(photos):
    names = [path.rpartition("/")[2] for path in photos[0]["path"]]
    rows = photos[0].assign(text=names, sample_id=[sample_id(name) for name in names]).drop(columns="path")
    found, kept = examined(photos, rows, embed(names))
    assert kept["alarming"] == ["Copied"]
    assert found.reasons()[0].startswith("100% of its texts name single samples of the target")
