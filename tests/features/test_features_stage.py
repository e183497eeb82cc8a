import json
import shutil

import numpy as np
import pytest
from PIL import Image

from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, read_config, read_features, stage, store
from uml_pipeline.features.stage import run
from uml_pipeline.silo.stage import run as run_silo
from uml_pipeline.workspace import Workspace


def make(study, name):
    run_silo(study, name)
    run(study, name)


def artifact(study, name):
    folder = Workspace(study.folder).reading("features", name)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def encoded(monkeypatch):
    """How many samples each run of the stage encoded."""
    counts = []
    original = stage._encode
    monkeypatch.setattr(
        stage, "_encode", lambda encoder, samples: counts.append(len(samples)) or original(encoder, samples)
    )
    return counts


@pytest.mark.parametrize("name", ["drawings", "descriptions"])
def test_features_are_those_of_the_encoder(tiny_study, name):
    make(tiny_study, name)
    manifest, vectors = read_features(tiny_study, name)
    encoder = create_encoder(tiny_study.silo(name), tiny_study.folder)
    samples = (
        [tiny_study.folder / path for path in manifest["path"]] if "path" in manifest else manifest["text"].tolist()
    )
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors, encoder.encode(samples))
    assert read_config(tiny_study, name) == encoder.describe()


def test_store_opens_without_us(tiny_study):
    import pandas as pd
    from safetensors.numpy import load_file

    make(tiny_study, "descriptions")
    folder = Workspace(tiny_study.folder).reading("features", "descriptions")
    index = pd.read_parquet(folder / "index.parquet")
    assert list(index) == ["sample_id", "shard", "row"]
    assert load_file(folder / "shard-00000.safetensors")["features"].shape == (len(index), 384)
    assert json.loads((folder / "config.json").read_text())["encoder"] == "builtin/minilm"


def test_shards_are_read_back_whole(tiny_study, monkeypatch):
    make(tiny_study, "descriptions")
    _, whole = read_features(tiny_study, "descriptions")
    monkeypatch.setattr(store, "_ROWS", 7)
    run(tiny_study, "descriptions")
    _, sharded = read_features(tiny_study, "descriptions")
    assert len(artifact(tiny_study, "descriptions")) == 5 + 3
    assert np.array_equal(whole, sharded)


@pytest.mark.parametrize("name", ["drawings", "descriptions"])
def test_incremental_equals_fresh(tiny_study, encoded, name):
    make(tiny_study, name)
    add_samples(tiny_study, name)
    make(tiny_study, name)
    incremental = artifact(tiny_study, name)
    assert encoded[1] == 3
    shutil.rmtree(Workspace(tiny_study.folder).root)
    make(tiny_study, name)
    assert artifact(tiny_study, name) == incremental


def add_samples(study, name):
    """Three more, and one less."""
    path = study.data(name)
    if path.is_file():
        lines = path.read_text().splitlines()
        more = ["red,red-circle", "a much longer sentence about blue squares,red-circle", "a green,red-circle"]
        path.write_text("\n".join(lines[:-1] + more))
        return
    (path / "red-circle" / "ada.png").unlink()
    more = [f"red-circle/{place}.png" for place in range(3)]
    for place, file in enumerate(more):
        Image.new("RGB", (64, 40 + place), (90 * place, 0, 0)).save(path / file)
    notes = (path / "metadata.csv").read_text().replace("red-circle/ada.png,ada\n", "")
    (path / "metadata.csv").write_text(notes + "".join(f"{file},ada\n" for file in more))


def test_other_silos_and_copies_are_not_encoded_again(tiny_study, encoded):
    with tiny_study.data("descriptions").open("a") as file:
        file.write("red circle,gold-triangle\n")
    make(tiny_study, "descriptions")
    make(tiny_study, "scrambled")
    assert encoded == [30, 0]
    manifest, vectors = read_features(tiny_study, "descriptions")
    twins = np.flatnonzero(manifest["text"] == "red circle")
    assert len(twins) == 2
    assert np.array_equal(*vectors[twins])


def test_damaged_vectors_are_not_reused(tiny_study, encoded):
    make(tiny_study, "descriptions")
    good = artifact(tiny_study, "descriptions")
    shard = Workspace(tiny_study.folder).folder("features", "descriptions") / "shard-00000.safetensors"
    shard.write_bytes(shard.read_bytes()[:-4] + b"\0\0\0\0")
    run(tiny_study, "descriptions")
    assert artifact(tiny_study, "descriptions") == good
    assert encoded == [30, 30]


def test_features_of_another_manifest_are_refused(tiny_study):
    make(tiny_study, "descriptions")
    add_samples(tiny_study, "descriptions")
    run_silo(tiny_study, "descriptions")
    with pytest.raises(UserError, match="older than its manifest"):
        read_features(tiny_study, "descriptions")


def test_features_need_a_manifest(tiny_study):
    with pytest.raises(UserError, match="uml silo drawings"):
        run(tiny_study, "drawings")


def test_nan_names_the_sample(tiny_study, monkeypatch):
    from uml_pipeline.features.emoji import EmojiEncoder

    def broken(self, samples):
        for place, sample in enumerate(samples):
            yield [place], np.full((1, self.dim), np.nan if "green-circle" in str(sample) else 1, np.float32)

    monkeypatch.setattr(EmojiEncoder, "batches", broken)
    run_silo(tiny_study, "drawings")
    with pytest.raises(UserError, match=r"(?s)NaN or infinity for 6 sample.*data/drawings/green-circle/"):
        run(tiny_study, "drawings")
    assert not list((Workspace(tiny_study.folder).root).glob("features/*"))
