from io import BytesIO

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.errors import UserError
from uml_pipeline.samples.audio import SUFFIXES, read_audio, resample

RATE = 16_000
FORMATS = [
    ("WAV", "PCM_16"),
    ("WAV", "FLOAT"),
    ("WAV", "ULAW"),
    ("WAVEX", "PCM_24"),
    ("RF64", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]


def noise(seconds=1.0, channels=1):
    wave = np.random.default_rng(0).normal(0, 0.1, (int(seconds * RATE), channels))
    return wave.astype(np.float32)


def tone(seconds=1.0, hertz=440):
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def written(wave, kind="WAV", subtype="FLOAT", rate=RATE):
    file = BytesIO()
    soundfile.write(file, wave, rate, format=kind, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize(("kind", "subtype"), FORMATS)
def test_every_format_is_read(tmp_path, kind, subtype):
    wave = tone()
    (tmp_path / "tone").write_bytes(written(wave, kind, subtype))
    read, rate = read_audio(tmp_path / "tone")
    assert rate == RATE
    assert read.dtype == np.float32
    assert read.shape == wave.shape
    middle = slice(4000, -4000)  # lossy formats fade in
    assert np.abs(read[middle] - wave[middle]).max() < 0.05


def test_the_suffixes_are_those_of_readable_formats():
    known = {f".{name.lower()}" for name in soundfile.available_formats()}
    assert SUFFIXES - known == {".aif", ".opus"}  # other names of AIFF and OGG


def test_channels_are_averaged():
    wave = noise(channels=3)
    assert np.allclose(read_audio(written(wave))[0], wave.mean(1), atol=1e-7)


@pytest.mark.parametrize(("kind", "subtype"), FORMATS)
@pytest.mark.parametrize("share", [0.7, 0.3])
def test_a_truncated_file_is_refused(kind, subtype, share):
    content = written(noise(5), kind, subtype)
    with pytest.raises(UserError, match="truncated" if kind != "FLAC" else "not readable audio"):
        read_audio(content[: int(share * len(content))])


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_file_cut_between_two_pages_is_refused(subtype):
    content = written(noise(20), "OGG", subtype)
    pages = [at for at in range(len(content)) if content.startswith(b"OggS", at)]
    with pytest.raises(UserError, match="truncated"):
        read_audio(content[: pages[len(pages) // 2]])


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000])
def test_a_streamed_file_is_whole(size):
    content = bytearray(written(tone(), subtype="PCM_16"))
    at = content.index(b"data") + 4
    content[at : at + 4] = size.to_bytes(4, "little")
    assert len(read_audio(bytes(content))[0]) == RATE


def test_an_mp3_without_a_header_has_no_promise_to_break():
    content = written(np.concatenate([np.zeros(2 * RATE, np.float32), noise(2)[:, 0]]), "MP3", "MPEG_LAYER_III")
    first = content.index(b"\xff", content.index(b"Xing"))
    frame = next(at for at in range(first, len(content)) if content[at : at + 2] == content[:2])
    assert len(read_audio(content[frame:])[0]) > 3 * RATE


def test_a_tag_that_reads_like_an_mp3_header_hides_no_truncation():
    content = written(noise(), subtype="PCM_16")
    content = content[:44] + b"Xing" + content[48:-9000]
    with pytest.raises(UserError, match="truncated"):
        read_audio(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not readable audio"),
        (b"RIFF", "not readable audio"),
        (b"no audio at all, but long enough for a header" * 4, "not readable audio"),
        (written(noise(), "FLAC", "PCM_16")[:60], "not readable audio"),
        (written(noise(), "OGG", "VORBIS")[:60], "not readable audio"),
        (written(noise(0)), "empty"),
        (written(np.full(99, np.nan, np.float32)), "NaN or infinity"),
        (written(np.full(99, np.inf, np.float32)), "NaN or infinity"),
        (written(noise(), rate=8), "sample rate is 8 Hz"),
        (written(noise(), rate=2_000_000_000), "sample rate is 2000000000 Hz"),
    ],
)
def test_damaged_content_is_a_user_error(content, words):
    with pytest.raises(UserError, match=words) as caught:
        read_audio(content)
    assert caught.value.where
    assert "BytesIO" not in caught.value.where
    assert caught.value.fix


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(FORMATS), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=20))
def test_any_damage_is_a_user_error_or_finite_sound(form, changes):
    content = bytearray(written(noise(0.2), *form))
    for place, byte in changes:
        content[int(place * place * len(content))] = byte  # mostly in the header
    try:
        wave, rate = read_audio(bytes(content))
    except UserError:
        return
    assert np.isfinite(wave).all()
    assert len(wave)
    assert 1_000 <= rate <= 768_000


def test_a_missing_file_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_audio(tmp_path / "nowhere.wav")


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 44_056, 44_099, 96_000])
def test_resampling_keeps_a_tone(rate):
    wave = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)
    there = resample(wave, rate, RATE)
    assert abs(len(there) - RATE) <= 1
    middle = slice(100, RATE - 100)
    assert np.abs(there[middle] - tone()[middle]).max() < 0.01


def test_the_same_rate_is_left_alone():
    wave = tone()
    assert resample(wave, RATE, RATE) is wave


def test_usual_rates_are_resampled_as_torchaudio_does():
    import torch
    from torchaudio.transforms import Resample

    wave = noise()[:, 0]
    assert np.array_equal(resample(wave, 44_100, RATE), Resample(44_100, RATE)(torch.from_numpy(wave)).numpy())
