import io

import numpy as np
import pytest
import soundfile
from PIL import Image, ImageDraw

from uml_pipeline.silo.measure import measure


def picture(text="x", **how):
    image = Image.new("RGB", (200, 120), "white")
    ImageDraw.Draw(image).ellipse((20, 20, 20 + 30 * len(text), 100), fill="teal")
    buffer = io.BytesIO()
    image.save(buffer, **({"format": "PNG"} | how))
    return buffer.getvalue()


def sound(wave, rate=16_000, **how):
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, rate, **({"format": "WAV"} | how))
    return buffer.getvalue()


def tone(pitch, seconds=1.0, rate=16_000):
    time = np.arange(int(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * pitch * time) * (time % 0.25 < 0.15)).astype(np.float32)


def bits_between(one, other):
    return (int(one.facts["near"], 16) ^ int(other.facts["near"], 16)).bit_count()


def test_image():
    one = measure(picture(), "image")
    assert (one.facts["width"], one.facts["height"]) == (200, 120)
    assert Image.open(io.BytesIO(one.picture)).size == (80, 80)


def test_the_same_picture_in_another_format_is_near():
    one, again, other = (measure(one, "image") for one in (picture(), picture(format="JPEG"), picture("xxxxx")))
    assert bits_between(one, again) <= 4 < bits_between(one, other)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a readable image"),
        (b"text", "not a readable image"),
        (picture()[:200], "the image is truncated"),
        (picture(format="JPEG")[:-700], "the image is truncated"),
        (picture(format="BMP")[:-700], "the image is truncated"),
    ],
)
def test_bad_images(content, reason):
    assert measure(content, "image").facts == {"bad": reason}


def test_audio():
    facts = measure(sound(tone(440), subtype="FLOAT"), "audio").facts
    assert (facts["seconds"], facts["rate"], facts["clipped"]) == (1.0, 16_000, 0.0)
    assert facts["peak"] == pytest.approx(0.5, abs=0.01)
    assert measure(sound(np.clip(3 * tone(440), -1, 1)), "audio").facts["clipped"] > 0.1


def test_the_same_sound_in_another_format_is_near():
    draw = np.random.default_rng(0)
    wave = tone(300, 2.0) + tone(900, 2.0)[::-1] + 0.01 * draw.normal(size=32_000)
    noise = np.convolve(draw.normal(size=32_000), np.ones(30) / 30, "same") * np.linspace(0, 1, 32_000)
    one, again, other = (measure(sound(*how[:1], **how[1]), "audio") for how in (
        (wave, {}), (wave, {"format": "OGG"}), (noise, {}),
    ))  # fmt: skip
    assert bits_between(one, again) <= 4 < bits_between(one, other)


@pytest.mark.parametrize("samples", [1, 2, 100])
def test_tiny_sounds_are_measured(samples):
    assert measure(sound(np.full(samples, 0.5)), "audio").facts["seconds"] == samples / 16_000


def test_bad_sounds():
    assert measure(sound(np.zeros(1600)), "audio").facts == {"bad": "the audio is silent"}
    assert measure(sound(tone(440))[:-1000], "audio").facts == {"bad": "the audio is truncated"}
    assert measure(b"RIFF", "audio").facts == {"bad": "not readable audio"}


def test_texts():
    one, same, other = (measure(text, "text").facts for text in ("A red circle.", "a red  CIRCLE", "a red circles"))
    assert one["words"] == 3
    assert one["near"] == same["near"] != other["near"]
    assert measure("?!", "text").facts["near"] != measure("...", "text").facts["near"]
    assert measure(" \n", "text").facts == {"bad": "empty text"}


def test_rows_series_and_vectors():
    assert measure({"a": 1, "b": None}, "table").facts == {"cells": 2, "missing": 0.5}
    assert measure({"a": None}, "table").facts == {"bad": "all cells are missing"}
    series = np.array([[1, np.nan], [2, 3]], np.float32)
    assert measure(series, "series").facts == {"steps": 2, "channels": 2, "missing": 0.25}
    assert measure(series[:0], "series").facts == {"bad": "the series is empty"}
    assert measure(series[:1, 1:], "series").facts == {"bad": "the series holds no number"}
    assert measure(series[1], "vector").facts == {"width": 2}
    assert measure(series[0], "vector").facts == {"bad": "the vector holds NaN or infinity"}
    assert measure(1e20 * series[1], "vector").facts == {"bad": "the vector's numbers are too large"}
