import json
import shutil
import sqlite3

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, filling, read_config, read_features, store
from uml_pipeline.features.emoji import EmojiEncoder
from uml_pipeline.features.stage import run
from uml_pipeline.silo.stage import run as run_silo
from uml_pipeline.study import Study
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
    original = filling.batches

    def counting(encoder, samples, runtime):
        counts.append(len(samples))
        return original(encoder, samples, runtime)

    monkeypatch.setattr(filling, "batches", counting)
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
    monkeypatch.setattr(store, "_BYTES", 7 * 384 * 4)
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
    shutil.rmtree(tiny_study.folder / ".uml")
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
    assert encoded == [30]
    manifest, vectors = read_features(tiny_study, "descriptions")
    twins = np.flatnonzero(manifest["text"] == "red circle")
    assert len(twins) == 2
    assert np.array_equal(*vectors[twins])


def test_damaged_vectors_are_not_reused(tiny_study, encoded):
    make(tiny_study, "descriptions")
    good = artifact(tiny_study, "descriptions")
    [cache] = (tiny_study.folder / ".uml").glob("features-builtin-minilm-*.db")
    with sqlite3.connect(cache) as db:
        db.execute("UPDATE entry SET value = zeroblob(384 * 4) WHERE rowid <= 3")
    db.close()
    run(tiny_study, "descriptions")
    assert artifact(tiny_study, "descriptions") == good
    assert encoded == [30, 3]


def test_order_is_the_manifest_s(tiny_study):
    make(tiny_study, "drawings")
    folder = Workspace(tiny_study.folder).reading("features", "drawings")
    manifest, vectors = read_features(tiny_study, "drawings")
    assert pd.read_parquet(folder / "index.parquet")["sample_id"].tolist() == manifest["sample_id"].tolist()
    assert np.array_equal(np.concatenate(list(store.shards(folder))), vectors)


def test_a_copy_of_the_store_goes_to_any_file_system(tiny_study, tmp_path):
    path = tiny_study.folder / "params.yaml"
    path.write_text(path.read_text().replace("features: {}", f"features: {{output: 'file://{tmp_path}/bucket'}}"))
    for _ in range(2):  # the second replaces the first
        make(Study(tiny_study.folder), "descriptions")
    copy = {file.name: file.read_bytes() for file in (tmp_path / "bucket" / "descriptions").iterdir()}
    assert copy == artifact(tiny_study, "descriptions")


def test_a_changed_sample_never_takes_the_place_of_the_one_that_was_listed(tiny_study):
    run_silo(tiny_study, "drawings")
    before = pd.read_parquet(Workspace(tiny_study.folder).reading("silo", "drawings") / "manifest.parquet")
    Image.new("RGB", (64, 64), "pink").save(tiny_study.folder / before["path"][0])
    with pytest.raises(UserError, match=r"has changed since its manifest(?s:.*)uml silo"):
        run(tiny_study, "drawings")


def test_an_unknown_file_system_is_a_user_error(tiny_study):
    path = tiny_study.folder / "params.yaml"
    path.write_text(path.read_text().replace("features: {}", "features: {output: 'nowhere://bucket'}"))
    with pytest.raises(UserError, match=r"cannot be copied there(?s:.*)features\.output"):
        make(Study(tiny_study.folder), "descriptions")


def test_no_gpu_is_a_user_error(tiny_study, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    path = tiny_study.folder / "params.yaml"
    path.write_text(path.read_text().replace("features: {}", "features: {device: cuda}"))
    with pytest.raises(UserError, match="no GPU here"):
        make(Study(tiny_study.folder), "descriptions")


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
    prepare = EmojiEncoder.prepare
    green = {file.read_bytes() for file in (tiny_study.data("drawings") / "green-circle").iterdir()}

    def broken(self, samples):
        wrong = [sample in green for sample in samples]
        return [np.nan * one if bad else one for one, bad in zip(prepare(self, samples), wrong, strict=True)]

    monkeypatch.setattr(EmojiEncoder, "prepare", broken)
    run_silo(tiny_study, "drawings")
    with pytest.raises(UserError, match=r"(?s)NaN or infinity.*data/drawings/green-circle/"):
        run(tiny_study, "drawings")
    assert not list((Workspace(tiny_study.folder).root).glob("features/*"))


@pytest.mark.parametrize("dim", [1, 384])
def test_mapped_shards_are_what_safetensors_reads(tmp_path, dim):
    from safetensors.numpy import load_file

    vectors = np.random.default_rng(0).random((5, 3, dim), np.float32)
    store.write(tmp_path, list("abcde"), iter(vectors), {"dim": dim})
    [matrix], [views] = store.shards(tmp_path), store.shards(tmp_path, "views")
    loaded = load_file(tmp_path / "shard-00000.safetensors")
    assert np.array_equal(matrix, loaded["features"]) and np.array_equal(matrix, vectors[:, 0])
    assert np.array_equal(views, loaded["views"]) and np.array_equal(views, vectors[:, 1:])
    assert np.array_equal(store.gather(tmp_path, ["d", "a", "d"]), vectors[[3, 0, 3], 0])
