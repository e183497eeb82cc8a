import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from tests.features.test_encoders import silo, vectors_do_not_depend_on_neighbours
from tests.features.tiny_nets import save_image_net, save_text_net
from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, load_encoder
from uml_pipeline.features.extract import batches

KINDS = ("vit", "dinov2", "resnet")


def made(folder, name="net", **keys):
    return create_encoder(silo(f"transformers/{name}", **keys), folder)


@pytest.mark.parametrize("kind", KINDS)
def test_neighbours_change_nothing(tmp_path, pictures, kind):
    save_image_net(tmp_path / "net", kind)
    vectors_do_not_depend_on_neighbours(made(tmp_path), pictures)


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_are_the_class_token_or_the_mean(tmp_path, pictures, kind):
    net, processor = save_image_net(tmp_path / "net", kind)
    images = [Image.open(path) for path in pictures]
    with torch.inference_mode():
        found = net.base_model(**processor(images=images, return_tensors="pt"))
    expected = found.last_hidden_state.mean((2, 3)) if kind == "resnet" else found.last_hidden_state[:, 0]
    assert np.allclose(made(tmp_path).encode(pictures), expected, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_export_is_self_contained(tmp_path, pictures, kind):
    save_image_net(tmp_path / "net", kind)
    encoder = made(tmp_path)
    (tmp_path / "model").mkdir()
    encoder.export(tmp_path / "model")
    shutil.rmtree(tmp_path / "net")
    loaded = load_encoder(json.loads(json.dumps(encoder.describe())), tmp_path / "model")
    assert np.array_equal(loaded.encode(pictures), encoder.encode(pictures))


def test_weights_and_preprocessing_make_the_fingerprint(tmp_path):
    for name, seed in (("net", 0), ("weights", 1), ("preprocessing", 0)):
        save_image_net(tmp_path / name, "vit", seed)
    path = tmp_path / "preprocessing" / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"image_mean": [0.1, 0.2, 0.3]}))
    assert len({made(tmp_path, name).fingerprint for name in ("net", "weights", "preprocessing")}) == 3
    assert made(tmp_path).fingerprint == made(tmp_path).fingerprint


def test_further_views(tmp_path, pictures):
    save_image_net(tmp_path / "net", "vit")
    encoder = made(tmp_path, flip=True, crops=1)
    found = np.empty((len(pictures), 3, 16), np.float32)
    for indices, vectors in batches(encoder, pictures):
        found[indices] = vectors
    assert np.array_equal(found[:, 0], made(tmp_path).encode(pictures))
    assert len(np.unique(found.reshape(-1, 16), axis=0)) == 33


def test_other_networks_are_refused(tmp_path):
    save_text_net(tmp_path / "net", "bert")
    with pytest.raises(UserError, match="'bert' is no image network known here") as caught:
        made(tmp_path)
    assert "dinov2" in caught.value.fix
    save_image_net(tmp_path / "vit", "vit")
    (tmp_path / "vit" / "preprocessor_config.json").unlink()
    with pytest.raises(UserError, match="cannot be loaded"):
        made(tmp_path, "vit")
