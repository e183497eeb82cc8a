"""Networks of random weights, small enough for every test, saved as transformers saves them."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
import transformers

from tests.features.test_logmel import clips
from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, load_encoder
from uml_pipeline.features.audio_hub import AudioHubEncoder
from uml_pipeline.features.encoders import Spec
from uml_pipeline.features.extract import batches
from uml_pipeline.features.runtime import Runtime
from uml_pipeline.samples.audio import read_at
from uml_pipeline.silo.config import SiloConfig

SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
WAVES = SMALL | {
    "conv_dim": [8, 8],
    "conv_kernel": [40, 20],
    "conv_stride": [20, 16],
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
}
KINDS = ("ast", "wav2vec2", "wav2vec2-adapter", "hubert", "wavlm", "whisper", "clap", "clap-fused")


def save(folder, kind, seed=0, **weights):
    """A network of that kind with its feature extractor; `weights` go to its save_pretrained."""
    torch.manual_seed(seed)
    net, extractor = BUILDERS[kind]()
    net.save_pretrained(folder, **weights)
    extractor.save_pretrained(folder)
    return net.eval(), extractor


def ast():
    config = transformers.ASTConfig(**SMALL, max_length=64, num_mel_bins=32)
    return transformers.ASTModel(config), transformers.ASTFeatureExtractor(max_length=64, num_mel_bins=32)


def waves(name, **options):
    config = getattr(transformers, f"{name}Config")(**WAVES, **options)
    return getattr(transformers, f"{name}Model")(config), transformers.Wav2Vec2FeatureExtractor()


def whisper():
    config = transformers.WhisperConfig(
        **{"vocab_size": 60, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1},
        **{"d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 32},
        **{"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 32},
        **{"max_source_positions": 50, "num_mel_bins": 20},
    )
    extractor = transformers.WhisperFeatureExtractor(feature_size=20, chunk_length=1)
    return transformers.WhisperForConditionalGeneration(config), extractor


def clap(fused):
    text = SMALL | {"vocab_size": 60, "projection_dim": 12, "max_position_embeddings": 20}
    audio = {
        **{"spec_size": 64, "num_mel_bins": 16, "patch_size": 4, "patch_stride": [4, 4], "window_size": 4},
        **{"patch_embeds_hidden_size": 8, "hidden_size": 16, "depths": [1, 1], "num_attention_heads": [2, 2]},
        **{"projection_dim": 12, "enable_fusion": fused},
    }
    extractor = transformers.ClapFeatureExtractor(
        **{"feature_size": 16, "max_length_s": 1, "sampling_rate": 16_000, "frequency_max": 8_000},
        truncation="fusion" if fused else "rand_trunc",
    )
    config = transformers.ClapConfig(text_config=text, audio_config=audio, projection_dim=12)
    return transformers.ClapModel(config), extractor


BUILDERS = {
    "ast": ast,
    "wav2vec2": lambda: waves("Wav2Vec2"),
    "wav2vec2-adapter": lambda: waves("Wav2Vec2", add_adapter=True, output_hidden_size=24),
    "hubert": lambda: waves("Hubert"),
    "wavlm": lambda: waves("WavLM"),
    "whisper": whisper,
    "clap": lambda: clap(False),
    "clap-fused": lambda: clap(True),
}
DIMS = {"wav2vec2-adapter": 24, "clap": 12, "clap-fused": 12}


def silo(name="net"):
    return SiloConfig(modality="audio", path="data", encoder=f"transformers/{name}")


@pytest.mark.parametrize("kind", KINDS)
def test_neighbours_change_nothing(tmp_path, kind):
    save(tmp_path / "net", kind)
    encoder, paths = create_encoder(silo(), tmp_path), clips(tmp_path)
    together = encoder.encode(paths)
    assert together.shape == (len(paths), DIMS.get(kind, 16)) == (len(paths), encoder.dim)
    assert np.isfinite(together).all()
    assert np.array_equal(np.concatenate([encoder.encode([path]) for path in paths]), together)
    assert np.array_equal(encoder.encode(paths[::-1]), together[::-1])
    assert len(np.unique(together, axis=0)) == len(paths)


@pytest.mark.parametrize("kind", KINDS)
def test_export_is_self_contained(tmp_path, kind):
    save(tmp_path / "net", kind)
    encoder, paths = create_encoder(silo(), tmp_path), clips(tmp_path)[:3]
    (tmp_path / "model").mkdir()
    encoder.export(tmp_path / "model")
    shutil.rmtree(tmp_path / "net")
    loaded = load_encoder(json.loads(json.dumps(encoder.describe())), tmp_path / "model")
    assert loaded.space == encoder.space
    assert np.array_equal(loaded.encode(paths), encoder.encode(paths))


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_is_near(tmp_path, kind):
    save(tmp_path / "net", kind)
    paths = clips(tmp_path)[:4]
    full = create_encoder(silo(), tmp_path).encode(paths)
    half = np.empty_like(full)
    for indices, vectors in batches(create_encoder(silo(), tmp_path), paths, Runtime(dtype=torch.bfloat16)):
        half[indices] = vectors[:, 0]
    cosine = (half * full).sum(1) / np.linalg.norm(half, axis=1) / np.linalg.norm(full, axis=1)
    assert (cosine > 0.98).all()


@pytest.fixture
def clip(tmp_path):
    """One of 0.61 seconds at 16 kHz, and its samples."""
    wave = np.random.default_rng(1).normal(0, 0.1, 9_768).astype(np.float32)
    soundfile.write(tmp_path / "clip.wav", wave, 16_000, subtype="FLOAT")
    return SimpleNamespace(path=tmp_path / "clip.wav", wave=wave)


def read_by(extractor, wave, **options):
    return extractor(wave, sampling_rate=16_000, return_tensors="pt", **options)


def test_ast_is_what_its_classifier_reads(tmp_path, clip):
    net, extractor = save(tmp_path / "net", "ast")
    with torch.inference_mode():
        expected = net(**read_by(extractor, clip.wave)).pooler_output
    assert np.allclose(create_encoder(silo(), tmp_path).encode([clip.path]), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["wav2vec2", "hubert", "wavlm"])
def test_waves_are_the_mean_over_all_frames(tmp_path, clip, kind):
    net, extractor = save(tmp_path / "net", kind)
    with torch.inference_mode():
        whole = net(**read_by(extractor, clip.wave)).last_hidden_state
        used = net(**read_by(extractor, clip.wave[:9_700])).last_hidden_state
    assert whole.shape == used.shape == (1, 30, 16)  # ((30 - 1) * 16 + 20 - 1) * 20 + 40 = 9700
    assert np.allclose(create_encoder(silo(), tmp_path).encode([clip.path]), used.mean(1), atol=1e-6)


def test_whisper_leaves_padding_out(tmp_path, clip):
    net, extractor = save(tmp_path / "net", "whisper")
    with torch.inference_mode():
        hidden = net.model.encoder(read_by(extractor, clip.wave)["input_features"]).last_hidden_state
    assert hidden.shape[1] == 50
    vector = create_encoder(silo(), tmp_path).encode([clip.path])
    assert np.allclose(vector, hidden[:, :31].mean(1), atol=1e-5)  # 0.61 seconds, 50 frames a second


def test_whisper_is_shipped_without_its_decoder(tmp_path):
    from safetensors import safe_open

    save(tmp_path / "net", "whisper")
    create_encoder(silo(), tmp_path).export(tmp_path)
    with safe_open(tmp_path / "encoder" / "model.safetensors", "pt") as file:
        assert not any("decoder" in name for name in file.keys())  # noqa: SIM118


@pytest.mark.parametrize("kind", ["clap", "clap-fused"])
def test_clap_is_the_projected_vector_of_the_first_seconds(tmp_path, kind):
    net, extractor = save(tmp_path / "net", kind)
    path = clips(tmp_path)[3]  # longer than its extractor takes, which would choose a part at random
    wave = read_at(path, 16_000)[:16_000]
    features = read_by(extractor, wave)["input_features"]
    with torch.inference_mode():
        expected = net.get_audio_features(input_features=features, is_longer=torch.tensor([[False]])).pooler_output
    encoder = create_encoder(silo(), tmp_path)
    assert np.allclose(encoder.encode([path]), expected, atol=1e-5)
    assert np.array_equal(encoder.encode([path]), encoder.encode([path]))


def test_clap_has_a_space_that_a_text_tower_can_share(tmp_path):
    for name, seed in (("net", 0), ("same", 0), ("other", 1)):
        save(tmp_path / name, "clap", seed)
    net, same, other = (create_encoder(silo(name), tmp_path) for name in ("net", "same", "other"))
    assert net.space == same.space != other.space
    assert net.space != net.fingerprint


@pytest.mark.parametrize("kind", ["wav2vec2", "whisper"])
def test_weights_and_preprocessing_make_the_fingerprint(tmp_path, kind):
    for name, seed in (("net", 0), ("weights", 1), ("preprocessing", 0), ("network", 0)):
        save(tmp_path / name, kind, seed)
    edit(tmp_path / "preprocessing" / "preprocessor_config.json", do_normalize=False, hop_length=200)
    edit(tmp_path / "network" / "config.json", hidden_act="relu", activation_function="relu")
    names = ("net", "weights", "preprocessing", "network")
    assert len({create_encoder(silo(name), tmp_path).fingerprint for name in names}) == 4
    assert create_encoder(silo(), tmp_path).fingerprint == create_encoder(silo(), tmp_path).fingerprint


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_the_hubs_revision_makes_the_fingerprint(tmp_path, monkeypatch):
    """A hub's cache as it lies on disk; the network is not asked."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--someone--net"
    commits = {"main": "a" * 40, "v2": "b" * 40}
    for branch, commit in commits.items():
        (repository / "refs").mkdir(parents=True, exist_ok=True)
        (repository / "refs" / branch).write_text(commit)
        save(repository / "snapshots" / commit, "hubert")
    first = create_encoder(silo("someone/net"))
    second = create_encoder(silo("someone/net?revision=v2"))
    assert first.fingerprint != second.fingerprint
    (tmp_path / "model").mkdir()
    second.export(tmp_path / "model")
    shutil.rmtree(repository)
    assert load_encoder(second.describe(), tmp_path / "model").fingerprint == second.fingerprint


def test_a_checkpoint_may_lack_what_only_training_needs(tmp_path):
    net, _ = save(tmp_path / "net", "wav2vec2")
    state = {key: value for key, value in net.state_dict().items() if key != "masked_spec_embed"}
    save(tmp_path / "net", "wav2vec2", state_dict=state)
    first, second = (create_encoder(silo(), tmp_path) for _ in "ab")
    assert first.fingerprint == second.fingerprint


def test_damaged_networks_are_refused(tmp_path):
    net, _ = save(tmp_path / "lacks", "hubert")
    state = {key: value for key, value in net.state_dict().items() if "layers.1" not in key}
    save(tmp_path / "lacks", "hubert", state_dict=state)
    for name in ("pickle", "cut", "shape", "silent", "config"):
        save(tmp_path / name, "hubert")
    weights = tmp_path / "pickle" / "model.safetensors"
    torch.save(net.state_dict(), weights.with_name("pytorch_model.bin"))
    weights.unlink()
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    edit(tmp_path / "shape" / "config.json", intermediate_size=48)
    (tmp_path / "silent" / "preprocessor_config.json").unlink()
    (tmp_path / "config" / "config.json").write_text("{")
    for name in ("lacks", "pickle", "cut", "shape", "silent", "config"):
        with pytest.raises(UserError, match="cannot be loaded") as caught:
            create_encoder(silo(name), tmp_path)
        assert caught.value.where
        assert caught.value.fix


def test_other_kinds_of_network_are_refused(tmp_path):
    transformers.BertConfig(**SMALL).save_pretrained(tmp_path / "net")
    with pytest.raises(UserError, match="'bert' is no audio network known here") as caught:
        AudioHubEncoder(Spec("transformers/net", "audio", tmp_path))
    assert "wav2vec2" in caught.value.fix
