import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder
from uml_pipeline.features.minilm import load_pretrained
from uml_pipeline.silo.config import SiloConfig


def encoder_of(modality, name, samples=()):
    config = SiloConfig(modality=modality, path="data", encoder=name)
    encoder = create_encoder(config)
    return create_encoder(config, fitted=encoder.fit(samples)) if encoder.fits else encoder


def test_a_sound_is_its_spectrogram_over_tenths_of_a_second(tmp_path):
    waves = [np.random.default_rng(place).normal(0, 0.1, length) for place, length in enumerate((16_000, 5_000, 40))]
    for place, wave in enumerate(waves):
        soundfile.write(tmp_path / f"{place}.wav", wave, 16_000, subtype="FLOAT")
    encoder, paths = encoder_of("audio", "builtin/logmel"), [tmp_path / f"{place}.wav" for place in range(3)]
    sequences = encoder.sequences(paths)
    assert [tuple(one.shape) for one in sequences] == [(11, 64), (4, 64), (1, 64)]
    vectors = encoder.encode(paths)
    whole = (sequences[0][:10].sum(0) * 10 + sequences[0][10]) / 101  # the last step has one frame
    assert np.allclose(whole, vectors[0, :64], atol=1e-4)
    assert np.allclose(sequences[2][0], vectors[2, :64], atol=1e-4)


def test_a_series_is_itself():
    training = [np.float32([[1, 2], [3, 4]]), np.float32([[5, np.inf], [7, 8], [9, 9]])]
    encoder = encoder_of("series", "builtin/series", training)
    found = encoder.sequences([*training, np.empty((0, 2), np.float32)])
    assert np.array_equal(found[0], training[0])
    assert found[1][0].tolist() == pytest.approx([5, float("nan")], nan_ok=True)
    assert found[2].shape == (1, 2)
    assert found[2].isnan().all()
    with pytest.raises(UserError, match="3 channels"):
        encoder.sequences([np.ones((2, 3), np.float32)])


def test_a_text_is_its_tokens():
    texts = ["a red circle", "", "a much longer sentence about a circle"]
    tokenizer, _ = load_pretrained()
    found = encoder_of("text", "builtin/minilm").sequences(texts)
    assert [one.tolist() for one in found] == [tokenizer(text)["input_ids"] for text in texts]


def test_an_image_is_its_patches(tmp_path):
    pixels = np.zeros((56, 56, 3), np.uint8)
    pixels[:8, 8:16, 0] = 255
    Image.fromarray(pixels).resize((224, 224), Image.Resampling.NEAREST).save(tmp_path / "a.png")
    encoder = encoder_of("image", "builtin/vit?img_size=224")
    [patches] = encoder.sequences([tmp_path / "a.png"])
    assert patches.shape == (49, 192)
    brightest = patches.view(49, 3, 64).mean(2)
    assert int(brightest[:, 0].argmax()) == 1
    assert brightest[20, 0] < brightest[1, 0]


def test_what_has_no_steps_is_a_sequence_of_one():
    vectors = [np.float32([1, 2]), np.float32([3, 4])]
    encoder = encoder_of("vector", "vectors", vectors)
    assert not encoder.sequential
    assert torch.equal(torch.cat(encoder.sequences(vectors)), torch.tensor(np.stack(vectors)))
