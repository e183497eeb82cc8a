import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from uml_pipeline.errors import UserError
from uml_pipeline.features import read_features
from uml_pipeline.learn.geometry import standardise
from uml_pipeline.model import UnimodalModel
from uml_pipeline.model.folder import model_hash
from uml_pipeline.pipeline import Step, call
from uml_pipeline.workspace import Workspace, seal

FILES = ["model.safetensors", "config.json", "labels.json"]


@pytest.fixture
def study(tiny_study):
    """The tiny study with its model made."""
    for stage in ("silo", "features"):
        for name in tiny_study.params.silos:
            call(tiny_study, Step(stage, name))
    for stage in ("relevance", "trunk", "model"):
        call(tiny_study, Step(stage))
    return tiny_study


@pytest.fixture
def folder(tmp_path):
    """A model's folder without a study: three classes, two features."""
    folder = tmp_path / "made"
    folder.mkdir()
    weights = {"centre": np.zeros(2, np.float32), "weight": np.float32([[1, 0], [0, 1], [-1, -1]])}
    save_file(weights, folder / "model.safetensors")
    (folder / "labels.json").write_text('["a", "b", "c"]')
    encoder = {"encoder": "builtin/minilm", "fingerprint": "0", "modality": "text", "dim": 2}
    (folder / "config.json").write_text(json.dumps({"modality": "text", "encoder": encoder}))
    seal(folder)
    return folder


def pictures(study):
    manifest, x = read_features(study, "drawings")
    return [study.folder / path for path in manifest["path"]], manifest["label"].tolist(), x


def test_the_shipped_model_stands_alone(study, tmp_path, monkeypatch):
    """It predicts from another folder when the study and all auxiliary silos, raw or encoded, are gone."""
    paths, labels, x = pictures(study)
    artifacts = study.folder / "artifacts"
    trunk = load_file(artifacts / "trunk" / "ships.safetensors")
    expected = standardise(x, trunk["centre"]) @ trunk["head"].T
    before = UnimodalModel.load(artifacts / "model").predict_proba(paths)

    elsewhere = tmp_path / "elsewhere"
    shutil.move(artifacts / "model", elsewhere / "model")
    for name in ("silo", "features", "relevance", "trunk"):
        shutil.rmtree(artifacts / name)
    for name in ("descriptions.csv", "scrambled.csv"):
        (study.folder / "data" / name).unlink()
    (study.folder / "params.yaml").unlink()
    monkeypatch.chdir(elsewhere)

    model = UnimodalModel.load("model")
    assert np.allclose(model.logits(x), expected, atol=1e-5)
    assert np.allclose(model.logits(model.encoder.encode(paths)), expected, atol=1e-5)
    shares = model.predict_proba(paths)
    assert np.array_equal(shares, before)
    assert np.allclose(shares.sum(1), 1, atol=1e-5)
    assert (shares >= 0).all()
    predicted, best = model.predict(paths), model.top(paths, 2)
    assert predicted.tolist() == [pair[0][0] for pair in best] == model.classes_[shares.argmax(1)].tolist()
    assert all(first[1] >= second[1] for first, second in best)
    assert np.mean(predicted == labels) > 0.9
    assert len(model.top(paths[:1], 99)[0]) == 6

    broken = tmp_path / "broken.png"
    broken.write_text("not a picture")
    for path in (broken, tmp_path / "nowhere.png"):
        with pytest.raises(UserError, match=path.name):
            model.predict([path])


def test_the_models_folder(study):
    folder = Workspace(study.folder).reading("model")
    assert {path.name for path in folder.iterdir()} == {*FILES, "README.md", "lineage.json", "fingerprint.json"}
    config = json.loads((folder / "config.json").read_text())
    trunk = json.loads((study.folder / "artifacts/trunk/config.json").read_text())
    assert json.loads((folder / "labels.json").read_text()) == trunk["classes"]
    assert (config["modality"], config["method"], config["samples"]) == ("image", trunk["ships"]["method"], 30)
    assert set(load_file(folder / "model.safetensors")) == {"centre", "weight"}
    for secret in ("descriptions", "scrambled"):  # no auxiliary silo is needed, so none is named where it would count
        assert secret not in json.dumps(config)
    assert model_hash(folder) in (folder / "lineage.json").read_text()
    first = {path.name: path.read_bytes() for path in folder.iterdir() if path.name in FILES}
    call(study, Step("model"))
    assert first == {name: (folder / name).read_bytes() for name in FILES}


def test_a_model_needs_a_trunk(tiny_study):
    with pytest.raises(UserError, match="artifacts/trunk"):
        call(tiny_study, Step("model"))


def test_the_hash_is_of_what_the_model_is_and_not_of_what_is_said_about_it(folder):
    before = model_hash(folder)
    for name in ("README.md", "lineage.json", "fingerprint.json"):
        (folder / name).write_text("anything")
    assert model_hash(folder) == before
    seen = {before}
    for name, text in (("labels.json", '["a", "b", "d"]'), ("config.json", "{}")):
        (folder / name).write_text(text)
        seen.add(model_hash(folder))
    weights = load_file(folder / "model.safetensors")
    weights["weight"][0, 0] += 1
    save_file(weights, folder / "model.safetensors")
    seen.add(model_hash(folder))
    assert len(seen) == 4


def test_logits_are_cosines_around_the_centre_times_the_weights(folder):
    model = UnimodalModel.load(folder)
    assert np.allclose(model.logits(np.float32([[3, 4], [0, -2]])), [[0.6, 0.8, -1.4], [0, -1, 1]], atol=1e-6)
    assert np.allclose(model.logits(np.float32([[30, 40]])), [[0.6, 0.8, -1.4]], atol=1e-6)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_told(folder, name):
    (folder / name).unlink()
    with pytest.raises(UserError, match="not a model folder") as error:
        UnimodalModel.load(folder)
    assert str(folder) in str(error.value)


def test_no_folder_at_all(tmp_path):
    with pytest.raises(UserError, match="not a model folder"):
        UnimodalModel.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00nonsense", None])
def test_a_damaged_file_is_told(folder, name, content):
    """However it was sealed: whoever makes a folder by hand may have sealed nonsense."""
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2] if content is None else content)
    seal(folder)
    with pytest.raises(UserError, match="damaged"):
        UnimodalModel.load(folder)


def test_weights_of_another_name_are_damage(folder):
    save_file({"heads": np.zeros((3, 2), np.float32)}, folder / "model.safetensors")
    seal(folder)
    with pytest.raises(UserError, match="damaged"):
        UnimodalModel.load(folder)


@pytest.mark.parametrize(
    "labels", ["[]", '["a", "b"]', '["a", "b", "c", "d"]', '["a", "b", "b"]', '["a", "b", 3]', "3"]
)
def test_labels_that_do_not_fit_the_weights(folder, labels):
    (folder / "labels.json").write_text(labels)
    seal(folder)
    with pytest.raises(UserError, match="do not fit"):
        UnimodalModel.load(folder)


@pytest.mark.parametrize("config", ["{}", "[]", '{"encoder": {}}', '{"encoder": "builtin/minilm"}'])
def test_a_configuration_without_an_encoder_is_damage(folder, config):
    (folder / "config.json").write_text(config)
    seal(folder)
    with pytest.raises(UserError):
        UnimodalModel.load(folder).predict(["a sentence"])


@pytest.mark.parametrize("name", FILES)
def test_one_bit_of_any_file_is_noticed(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[-3] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(UserError, match="not what it was sealed as") as error:
        UnimodalModel.load(folder)
    assert f"{name} was changed" in error.value.where


def test_a_removed_file_is_named_and_a_card_may_be_rewritten(folder):
    for name in ("README.md", "lineage.json"):
        (folder / name).write_text("{}")
    seal(folder)
    (folder / "README.md").write_text("another")
    (folder / ".gitattributes").write_text("put there by the hub")
    UnimodalModel.load(folder)
    (folder / "lineage.json").unlink()
    with pytest.raises(UserError, match=r"lineage.json was removed"):
        UnimodalModel.load(folder)


@pytest.mark.parametrize(
    "content", ["", "[]", "3", "{}", '{"labels.json": 3}', '{"/dev/zero": "0", "../../etc/passwd": "0"}']
)
def test_a_seal_that_is_none_is_refused(folder, content):
    (folder / "fingerprint.json").write_text(content)
    with pytest.raises(UserError):
        UnimodalModel.load(folder)
    (folder / "fingerprint.json").unlink()
    with pytest.raises(UserError, match="has no seal"):
        UnimodalModel.load(folder)
