from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torchaudio
from sklearn.linear_model import LogisticRegression

from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, load_encoder
from uml_pipeline.silo.config import SiloConfig

SILO = SiloConfig(modality="audio", path="data")


def clips(folder: Path) -> list[Path]:
    """Noise of different lengths and rates."""
    generator = np.random.default_rng(0)
    paths = [folder / f"{place}.wav" for place in range(11)]
    for place, path in enumerate(paths):
        wave = generator.normal(0, 0.1, int(16_000 * (0.001, 0.3, 1, 2.5)[place % 4]) + place)
        soundfile.write(path, wave, (16_000, 44_100, 8_000)[place % 3])
    return paths


def probe(encoder, silo: Path, shots: int) -> float:
    """Test accuracy of a linear classifier on unit features, mean over draws of `shots` training clips a class."""
    manifest = pd.read_csv(silo / "manifest.csv")
    vectors = encoder.encode([silo / path for path in manifest["path"]])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    test = (manifest["split"] == "test").to_numpy()
    scores = []
    for seed in range(3):
        train = manifest[manifest["split"] == "train"].groupby("label").sample(shots, random_state=seed).index
        classifier = LogisticRegression(C=100, max_iter=1000).fit(vectors[train], manifest["label"][train])
        scores.append(classifier.score(vectors[test], manifest["label"][test]))
    return float(np.mean(scores))


def test_mean_and_deviation_of_the_log_mel_spectrogram(tmp_path):
    import torch

    wave = np.random.default_rng(0).normal(0, 0.1, 20_000).astype(np.float32)
    soundfile.write(tmp_path / "clip.wav", wave, 16_000, subtype="FLOAT")
    vector = create_encoder(SILO).encode([tmp_path / "clip.wav"])[0]
    spectrum = torch.stft(
        torch.from_numpy(wave), 1024, 160, 400, torch.hann_window(400), pad_mode="constant", return_complex=True
    )
    banks = torchaudio.functional.melscale_fbanks(513, 0, 8000, 64, 16_000)
    bands = np.log((spectrum.abs().T ** 2 @ banks).numpy() + 0.01)
    assert np.allclose(vector, [*bands.mean(0), *bands.std(0)], atol=1e-4)


def test_neighbours_change_nothing(tmp_path):
    encoder, paths = create_encoder(SILO), clips(tmp_path)
    together = encoder.encode(paths)
    assert together.shape == (len(paths), 128) == (len(paths), encoder.dim)
    assert np.isfinite(together).all()
    assert np.array_equal(np.concatenate([encoder.encode([path]) for path in paths]), together)
    assert np.array_equal(encoder.encode(paths[::-1]), together[::-1])


def test_the_rate_hardly_matters(tmp_path):
    from uml_pipeline.samples.audio import resample

    wave = resample(np.random.default_rng(0).normal(0, 0.1, 24_000).astype(np.float32), 12_000, 48_000)
    paths = [tmp_path / "48.wav", tmp_path / "32.wav"]
    soundfile.write(paths[0], wave, 48_000, subtype="FLOAT")
    soundfile.write(paths[1], resample(wave, 48_000, 32_000), 32_000, subtype="FLOAT")
    one, other = create_encoder(SILO).encode(paths)
    assert np.abs(one - other).max() < 0.05


def test_silence_is_finite(tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(1), 16_000)
    assert np.allclose(create_encoder(SILO).encode([tmp_path / "silence.wav"]), [np.log(0.01)] * 64 + [0] * 64)


def test_a_damaged_clip_is_a_user_error(tmp_path):
    paths = clips(tmp_path)
    paths[3].write_bytes(paths[3].read_bytes()[:-900])
    with pytest.raises(UserError, match="truncated"):
        create_encoder(SILO).encode(paths)


def test_description_is_enough_to_load(tmp_path):
    encoder, paths = create_encoder(SILO), clips(tmp_path)
    encoder.export(tmp_path)
    assert np.array_equal(load_encoder(encoder.describe(), tmp_path).encode(paths), encoder.encode(paths))


@pytest.mark.realdata
def test_probe_on_environmental_sounds(data_dir):
    """Ten classes: chance is 0.1."""
    assert probe(create_encoder(SILO), data_dir / "datasets" / "esc10" / "audio_silo", 4) > 0.5
