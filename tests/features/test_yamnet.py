from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file

from tests.features.test_logmel import clips, probe
from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, load_encoder
from uml_pipeline.features.yamnet import patches
from uml_pipeline.silo.config import SiloConfig


def silo(checkpoint="yamnet.safetensors"):
    return SiloConfig(modality="audio", path="data", encoder="builtin/yamnet", checkpoint=checkpoint)


def save(path: Path, seed=0, arch="mobilenetv1_100", **kwargs):
    import timm

    torch.manual_seed(seed)
    net = timm.create_model(arch, **{"in_chans": 1, "num_classes": 521, "pad_type": "same"} | kwargs)
    save_file(net.state_dict(), path)


@pytest.fixture
def folder(tmp_path):
    """A study's folder with a checkpoint of random weights."""
    save(tmp_path / "yamnet.safetensors")
    return tmp_path


def front_end(wave):
    """The same in NumPy, sentence by sentence: frames, window, spectrum, triangles in mel, logarithm, patches."""
    wave = np.pad(wave.astype(np.float64), (0, max(0, 15_600 - len(wave))))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    frames = [wave[start : start + 400] * window for start in range(0, len(wave) - 399, 160)]
    spectrum = np.abs(np.fft.rfft(frames, 512))
    mel = 1127 * np.log1p(np.arange(257) * 16_000 / 512 / 700)
    edges = np.linspace(1127 * np.log1p(125 / 700), 1127 * np.log1p(7500 / 700), 66)
    weights = np.array([np.interp(mel, edges[at : at + 3], [0, 1, 0]) for at in range(64)])
    bands = np.log(spectrum @ weights.T + 0.001)
    return np.array([[bands[start : start + 96]] for start in range(0, len(bands) - 95, 48)])


@pytest.mark.parametrize("length", [1, 400, 15_600, 15_601, 23_279, 23_280, 80_000])
def test_front_end(length):
    wave = np.random.default_rng(0).normal(0, 0.1, length).astype(np.float32)
    found = patches(torch.from_numpy(wave)).numpy()
    assert found.shape == front_end(wave).shape
    assert np.allclose(found, front_end(wave), atol=2e-4)


def test_neighbours_change_nothing(folder):
    encoder, paths = create_encoder(silo(), folder), clips(folder)
    together = encoder.encode(paths)
    assert together.shape == (len(paths), 1024) == (len(paths), encoder.dim)
    assert np.array_equal(np.concatenate([encoder.encode([path]) for path in paths]), together)
    assert np.array_equal(encoder.encode(paths[::-1]), together[::-1])


def test_a_clip_is_the_mean_of_its_patches(folder):
    """Also where it has more of them than the network sees at a time."""
    wave = np.random.default_rng(0).normal(0, 0.1, 16_000 * 20).astype(np.float32)
    soundfile.write(folder / "long.wav", wave, 16_000, subtype="FLOAT")
    encoder = create_encoder(silo(), folder)
    with torch.inference_mode():
        expected = encoder.net(patches(torch.from_numpy(wave))).mean(0)
    assert np.allclose(encoder.encode([folder / "long.wav"])[0], expected, atol=1e-5)


def test_weights_make_the_fingerprint(folder):
    encoder = create_encoder(silo(), folder)
    save(folder / "other.safetensors", seed=1)
    assert encoder.fingerprint == create_encoder(silo(), folder).fingerprint
    assert encoder.fingerprint != create_encoder(silo("other.safetensors"), folder).fingerprint


def test_export_is_self_contained(folder):
    encoder, paths = create_encoder(silo(), folder), clips(folder)
    (folder / "model").mkdir()
    encoder.export(folder / "model")
    (folder / "yamnet.safetensors").unlink()
    loaded = load_encoder(encoder.describe(), folder / "model")
    assert np.array_equal(loaded.encode(paths), encoder.encode(paths))


@pytest.mark.parametrize(
    ("checkpoint", "words"),
    [
        (None, "comes without weights"),
        ("nowhere.safetensors", "no such checkpoint"),
        ("broken.safetensors", "not one of YAMNet"),
        ("images.safetensors", "not one of YAMNet"),
    ],
)
def test_other_weights_are_refused(folder, checkpoint, words):
    (folder / "broken.safetensors").write_bytes(b"\x80\x04 a pickle, say")
    save(folder / "images.safetensors", in_chans=3)
    with pytest.raises(UserError, match=words) as caught:
        create_encoder(silo(checkpoint), folder)
    assert "checkpoint" in caught.value.fix or "safetensors" in caught.value.fix
    assert caught.value.where


@pytest.mark.realdata
@pytest.mark.slow
def test_probe_on_environmental_sounds(data_dir):
    """Ten classes: chance is 0.1."""
    weights = data_dir / "weights" / "audio_yamnet_mobilenetv1_100.safetensors"
    encoder = create_encoder(silo(str(weights)))
    assert probe(encoder, data_dir / "datasets" / "esc10" / "audio_silo", 4) > 0.85
