"""The exported graph is the model, on real samples and in batches of any size; or nothing is written."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from tests.model.shipped import LABELS, pictures, shipped
from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import TRAINED
from uml_pipeline.model import UnimodalModel, whole
from uml_pipeline.model.export import export
from uml_pipeline.workspace import seal

FORMS = ["onnx", "torch"]


def answers(done, form, inputs):
    """What the written file gives, by whoever reads such files."""
    if form == "torch":
        return torch.export.load(done.file).module()(*map(torch.from_numpy, inputs)).numpy()
    session = onnxruntime.InferenceSession(done.file, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs, strict=True)))[0]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    return shipped(folder / "model", "image", "builtin/emoji"), pictures(folder / "new", 40)


@pytest.mark.parametrize("form", FORMS)
def test_pictures(images, tmp_path, form):
    """A stranger needs the graph and its JSON alone."""
    model, paths = UnimodalModel.load(images[0]), images[1]
    done = export(model, form, tmp_path / {"onnx": "m.onnx", "torch": "m.pt2"}[form], paths)
    assert (done.samples, done.difference < 1e-4) == (40, True)
    about = json.loads(done.about.read_text())
    assert about["labels"] == LABELS
    assert about["inputs"] == [{"name": "images", "type": "uint8", "shape": ["batch", 3, 64, 64]}]
    assert "squeezed to 64 x 64 pixels, bilinear" in about["preprocessing"]["input"]
    opened = [Image.open(path).resize((64, 64), Image.Resampling.BILINEAR) for path in paths]
    batch = np.stack([np.array(one).transpose(2, 0, 1) for one in opened])
    expected = model.predict_proba(paths)
    for size in (1, 7, 40):
        found = answers(done, form, [batch[:size]])
        assert np.allclose(found, expected[:size], atol=1e-4)
        assert np.array_equal(found.argmax(1), expected[:size].argmax(1))
    if form == "onnx":
        graph = onnx.load(done.file)
        onnx.checker.check_model(graph)
        assert about["opset"] == graph.opset_import[0].version >= 18
    assert {path.name for path in tmp_path.iterdir()} == {done.file.name, done.about.name}


def test_a_fine_tuned_encoder_is_exported_as_it_was_trained(images, tmp_path):
    plain = UnimodalModel.load(images[0])
    weights = load_file(images[0] / "model.safetensors")
    hand = np.random.default_rng(3)
    for name, tensor in plain.encoder.net.state_dict().items():
        value = tensor.numpy()
        if name == "out.weight":
            value = value + hand.normal(scale=0.1, size=value.shape).astype(np.float32)
        weights[TRAINED + name] = np.ascontiguousarray(value)
    tuned = shipped(tmp_path / "tuned", "image", "builtin/emoji")
    save_file(weights, tuned / "model.safetensors")
    seal(tuned)
    model = UnimodalModel.load(tuned)
    assert not np.allclose(model.predict_proba(images[1]), plain.predict_proba(images[1]), atol=1e-3)
    assert export(model, "onnx", tmp_path / "m.onnx", images[1]).difference < 1e-4


@pytest.mark.parametrize("form", [pytest.param("onnx", marks=pytest.mark.slow), "torch"])
def test_texts_padded_into_one_batch(tmp_path, form):
    model = UnimodalModel.load(shipped(tmp_path / "model", "text", "builtin/minilm"))
    texts = ["a cat", "the quick brown fox jumps over a lazy dog", "🐕", "word " * 700]
    done = export(model, form, tmp_path / {"onnx": "m.onnx", "torch": "m.pt2"}[form], texts)
    about = json.loads(done.about.read_text())
    assert [one["shape"] for one in about["inputs"]] == [["batch", "tokens"]] * 2
    tokenizer = Tokenizer.from_file(str(tmp_path / about["preprocessing"]["tokenizer"] / "tokenizer.json"))
    tokenizer.enable_truncation(512)
    tokenizer.enable_padding()
    read = tokenizer.encode_batch(texts)
    inputs = [np.array([one.ids for one in read]), np.array([one.attention_mask for one in read])]
    assert np.allclose(answers(done, form, inputs), model.predict_proba(texts), atol=1e-4)


def test_what_has_no_network_begins_with_its_vectors(tmp_path):
    fitted = {"acid": {"mean": 5.0, "std": 2.0, "median": 5.0, "missing": True}, "kind": {"categories": ["x", "y"]}}
    model = UnimodalModel.load(shipped(tmp_path / "rows", "table", "builtin/table", fitted))
    rows = [{"acid": number, "kind": "x"} for number in range(9)]
    done = export(model, "onnx", tmp_path / "rows.onnx", rows)
    assert json.loads(done.about.read_text())["preprocessing"]["fitted"] == fitted
    found = answers(done, "onnx", [model.encoder.encode(rows)])
    assert np.allclose(found, model.predict_proba(rows), atol=1e-4)
    model = UnimodalModel.load(shipped(tmp_path / "vectors", "vector", "vectors", {"dim": 4, "origin": "a"}))
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    assert np.allclose(answers(export(model, "onnx", tmp_path / "v.onnx", x), "onnx", [x]), model.predict_proba(x))


def test_timms_networks_with_their_own_preprocessing(tmp_path):
    """Weights at random, as a checkpoint of the study's would be."""
    import timm
    from timm.data import create_transform, resolve_model_data_config

    name = "test_vit"
    net = timm.create_model(name, pretrained=False, num_classes=0)
    save_file({key: value.numpy() for key, value in net.state_dict().items()}, tmp_path / "weights.safetensors")
    model = shipped(tmp_path / "model", "image", f"timm/{name}", checkpoint=tmp_path / "weights.safetensors")
    paths = pictures(tmp_path / "new", 5)
    done = export(UnimodalModel.load(model), "onnx", tmp_path / "m.onnx", paths)
    about = json.loads(done.about.read_text())
    data = resolve_model_data_config(net)
    for word in ("Resize", "CenterCrop", str(data["input_size"][1])):
        assert word in about["preprocessing"]["input"]
    assert about["preprocessing"]["mean"] == list(data["mean"])
    images = [create_transform(**data, normalize=False)(Image.open(path)).numpy() for path in paths]
    found = answers(done, "onnx", [np.stack(images)])
    assert np.allclose(found, UnimodalModel.load(model).predict_proba(paths), atol=1e-4)


@pytest.mark.parametrize(
    "spoil", [lambda shares: shares.roll(1, 1), lambda shares: shares + 2e-4, lambda shares: shares * float("nan")]
)
def test_a_graph_that_is_not_the_model_is_refused(images, tmp_path, monkeypatch, spoil):
    class Wrong(whole.Whole):
        def forward(self, *inputs):
            return spoil(super().forward(*inputs))

    monkeypatch.setattr("uml_pipeline.model.export.Whole", Wrong)
    with pytest.raises(UserError, match="does not equal the model"):
        export(UnimodalModel.load(images[0]), "onnx", tmp_path / "m.onnx", images[1])
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_exported_is_told(images, tmp_path):
    model = UnimodalModel.load(images[0])
    with pytest.raises(UserError, match="no sample"):
        export(model, "onnx", tmp_path / "m.onnx", [])
    model.config["reader"] = {}
    with pytest.raises(UserError, match="cannot be exported"):
        export(model, "onnx", tmp_path / "m.onnx", images[1])
    assert not list(tmp_path.iterdir())
