from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from uml_pipeline.report.robustness.damage import Spoilt, damages
from uml_pipeline.samples.audio import read_audio
from uml_pipeline.samples.images import read_image


def picture(seed):
    draw = np.random.default_rng(seed)
    coarse = Image.fromarray(draw.integers(0, 256, (8, 6, 3)).astype(np.uint8)).resize(
        (48, 64), Image.Resampling.BICUBIC
    )
    buffer = BytesIO()
    coarse.save(buffer, "PNG")
    return buffer.getvalue()


def sound(seed):
    import soundfile

    draw = np.random.default_rng(seed)
    time = np.arange(8000) / 8000
    wave = 0.5 * np.sin(2 * np.pi * 300 * time) * draw.uniform(0.5, 1) + 0.1 * draw.normal(size=8000)
    buffer = BytesIO()
    soundfile.write(buffer, wave.astype(np.float32), 8000, format="WAV", subtype="FLOAT")
    return buffer.getvalue()


TEXT = "the quick brown fox jumps over the lazy dog while seven wizards watch from a hill and say nothing at all"
SAMPLES = {
    "image": [picture(seed) for seed in range(6)],
    "audio": [sound(seed) for seed in range(6)],
    "text": [f"{TEXT} number {seed}" for seed in range(30)],
    "table": [{"size": 1.5 * at, "age": at, "kind": "xy"[at % 2], "none": None} for at in range(30)],
    "series": [np.random.default_rng(at).normal(size=(5 + at, 3)).astype(np.float32) for at in range(6)],
    "vector": [np.random.default_rng(at).normal(size=8).astype(np.float32) for at in range(6)],
}
CASES = [(modality, place) for modality, samples in SAMPLES.items() for place in range(len(damages(modality, samples)))]


def spoilt(modality, place, level):
    samples = SAMPLES[modality]
    ids = [f"{at:032x}" for at in range(len(samples))]
    return Spoilt(samples, ids, damages(modality, samples)[place], level)


def numbers(modality, sample):
    """What a sample holds, for distances."""
    if modality == "image":
        return np.asarray(read_image(sample), float)
    if modality == "audio":
        return read_audio(sample)[0]
    return sample


def far(modality, one, other):
    """How much differs."""
    if modality == "text":
        return sum(a != b for a, b in zip(one, other, strict=False)) + abs(len(one) - len(other))
    if modality == "table":
        return sum(one[name] != other[name] for name in one) + sum(
            abs(one[name] - other[name]) for name in ("size", "age") if other[name] is not None
        )
    return float(np.abs(numbers(modality, one) - numbers(modality, other)).mean())


@pytest.mark.parametrize(("modality", "place"), CASES)
def test_damage_grows_with_strength_and_keeps_the_kind_of_sample(modality, place):
    clean = SAMPLES[modality]
    distances = []
    for level in range(3):
        found = spoilt(modality, place, level)[:]
        assert [type(one) for one in found] == [type(one) for one in clean]
        distances.append(np.mean([far(modality, *pair) for pair in zip(clean, found, strict=True)]))
    assert 0 < distances[0] < distances[1] < distances[2]


@pytest.mark.parametrize(("modality", "place"), CASES)
def test_shapes_stay(modality, place):
    clean, found = SAMPLES[modality], spoilt(modality, place, 2)[:]
    for one, other in zip(clean, found, strict=True):
        if modality in ("text", "table"):
            assert len(other) > 0
            assert modality == "text" or list(one) == list(other)
        else:
            assert numbers(modality, one).shape == numbers(modality, other).shape
    if modality == "audio":
        assert read_audio(found[0])[1] == 8000


@pytest.mark.parametrize(("modality", "place"), CASES)
def test_the_same_sample_is_spoilt_the_same_way_wherever_it_stands(modality, place):
    first = spoilt(modality, place, 1)
    kind, ids = first.damage, list(first.ids)
    again = Spoilt(SAMPLES[modality][::-1], ids[::-1], kind, 1)
    for one, other in zip(first[:], again[:][::-1], strict=True):
        assert np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other


def test_noise_on_sounds_has_the_ratio_that_it_says():
    clean, rough = (read_audio(one)[0] for one in (SAMPLES["audio"][0], spoilt("audio", 0, 1)[0]))
    ratio = (clean**2).mean() / ((rough - clean) ** 2).mean()
    assert 10 * np.log10(ratio) == pytest.approx(10, abs=0.5)


def test_something_is_left_of_the_shortest():
    for place in range(3):
        damage = damages("text", ["x"])[place]
        assert Spoilt(["x"] * 50, [str(at) for at in range(50)], damage, 2)[:].count("") == 0
    missing = damages("table", [{"a": "x"}])[0]
    assert Spoilt([{"a": "x"}], ["0"], missing, 2)[0] == {"a": "x"}
