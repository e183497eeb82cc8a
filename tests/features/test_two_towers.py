"""CLIP and SigLIP, and CLAP's text tower (its other one: test_audio_hub.py)."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from tests.features import test_audio_hub
from tests.features.test_encoders import silo, vectors_do_not_depend_on_neighbours
from tests.features.test_text_hub import SENTENCES
from tests.features.tiny_nets import VOCABULARY, save_clip, save_siglip, word_tokenizer
from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, load_encoder


def save_clap(folder, seed=0):
    net, extractor = test_audio_hub.save(folder, "clap", seed)
    assert net.config.text_config.vocab_size >= VOCABULARY
    tokenizer = word_tokenizer(pad_token="<pad>", model_max_length=18)
    tokenizer.save_pretrained(folder)
    return net, extractor, tokenizer


def save(folder, kind, seed=0):
    if kind == "siglip":
        return save_siglip(folder, SENTENCES * 4, seed)
    return (save_clip if kind == "clip" else save_clap)(folder, seed)


def made(folder, modality, name="net"):
    return create_encoder(silo(f"transformers/{name}", modality), folder)


@pytest.mark.parametrize("kind", ["clip", "siglip", "clap"])
def test_texts(tmp_path, kind):
    net, _, tokenizer = save(tmp_path / "net", kind)
    encoder = made(tmp_path, "text")
    vectors_do_not_depend_on_neighbours(encoder, SENTENCES)
    for text in SENTENCES[:3]:
        if kind == "siglip":
            given = {
                "input_ids": tokenizer([text], padding="max_length", truncation=True, return_tensors="pt")["input_ids"]
            }
            assert given["input_ids"].shape == (1, 16)
        else:
            given = {"input_ids": tokenizer([text], truncation=True, return_tensors="pt")["input_ids"]}
        with torch.inference_mode():
            expected = net.get_text_features(**given).pooler_output
        assert np.allclose(encoder.encode([text]), expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_images(tmp_path, pictures, kind):
    net, processor, _ = save(tmp_path / "net", kind)
    encoder = made(tmp_path, "image")
    vectors_do_not_depend_on_neighbours(encoder, pictures)
    images = processor(images=[Image.open(path) for path in pictures], return_tensors="pt")
    with torch.inference_mode():
        expected = net.get_image_features(**images).pooler_output
    assert np.allclose(encoder.encode(pictures), expected, atol=1e-5)


@pytest.mark.parametrize(("kind", "other"), [("clip", "image"), ("siglip", "image"), ("clap", "audio")])
def test_both_towers_share_the_space_of_their_checkpoint(tmp_path, kind, other):
    for name, seed in (("net", 0), ("same", 0), ("another", 1)):
        save(tmp_path / name, kind, seed)
    text, same, another = (made(tmp_path, "text", name) for name in ("net", "same", "another"))
    tower = made(tmp_path, other)
    assert text.space == tower.space == same.space != another.space
    assert text.dim == tower.dim
    assert text.fingerprint == same.fingerprint
    assert len({text.fingerprint, tower.fingerprint, another.fingerprint, text.space}) == 4


@pytest.mark.parametrize(
    ("kind", "modality"),
    [("clip", "text"), ("clip", "image"), ("siglip", "text"), ("siglip", "image"), ("clap", "text")],
)
def test_one_tower_is_shipped_and_keeps_its_space(tmp_path, pictures, kind, modality):
    from safetensors import safe_open

    save(tmp_path / "net", kind)
    encoder, samples = made(tmp_path, modality), SENTENCES if modality == "text" else pictures
    vectors = encoder.encode(samples)
    (tmp_path / "model").mkdir()
    encoder.export(tmp_path / "model")
    shutil.rmtree(tmp_path / "net")
    loaded = load_encoder(json.loads(json.dumps(encoder.describe())), tmp_path / "model")
    assert loaded.space == encoder.space
    assert np.array_equal(loaded.encode(samples), vectors)
    gone = ("vision_", "visual_", "audio_") if modality == "text" else ("text_",)
    with safe_open(tmp_path / "model" / "encoder" / "model.safetensors", "pt") as file:
        assert not any(name.startswith(gone) for name in file.keys())  # noqa: SIM118


@pytest.mark.parametrize("kind", ["clip", "siglip", "clap"])
def test_long_texts_are_cut_and_empty_ones_have_vectors(tmp_path, kind):
    save(tmp_path / "net", kind)
    vectors = made(tmp_path, "text").encode(["cat " * 200, "cat " * 300, "", " "])
    assert np.isfinite(vectors).all()
    assert np.array_equal(vectors[0], vectors[1])


def test_a_modality_without_tower_and_pooling_are_refused(tmp_path):
    save(tmp_path / "net", "clip")
    with pytest.raises(UserError, match="'clip' is no audio network"):
        made(tmp_path, "audio")
    with pytest.raises(UserError, match="no such pooling"):
        create_encoder(silo("transformers/net?pooling=mean", "text"), tmp_path)
