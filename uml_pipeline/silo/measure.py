"""What is measured of one sample while it is decoded, the only time that this stage decodes it."""

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image, ImageOps

from uml_pipeline.errors import UserError
from uml_pipeline.samples import Sample
from uml_pipeline.samples.content import lack
from uml_pipeline.samples.images import read_image
from uml_pipeline.silo.config import Modality
from uml_pipeline.silo.words import words

SIDE = 80  # pixels of a picture on the contact sheet
_SILENCE = 1e-3  # of full scale: -60 dB
_FULL = 0.999
_HIGHEST = 4000  # Hz: what even a telephone keeps
_RANGE = 40  # decibels below the loudest that a spectrogram shows: what lossy formats change is softer


@dataclass(frozen=True)
class Measured:
    """Facts for the manifest, among them `bad` if the sample is no good; and how it looks."""

    facts: dict[str, Any]
    picture: bytes | None = None
    """JPEG of SIDE x SIDE pixels: the image itself, or a spectrogram."""


def measure(sample: Sample, modality: Modality) -> Measured:
    """Decode a sample and measure it."""
    if bad := lack(sample, modality):
        return Measured({"bad": bad})
    try:
        return _MEASURES[modality](sample)
    except UserError as error:
        return Measured({"bad": error.what})


def _image(sample: Path | bytes) -> Measured:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about metadata: what counts are the pixels
        image = read_image(sample)
    facts = {"width": image.width, "height": image.height}
    small = ImageOps.pad(image, (SIDE, SIDE), color="white")
    return Measured(facts | {"near": _perceptual_hash(small)}, _jpeg(small))


def _audio(sample: Path | bytes) -> Measured:
    from uml_pipeline.samples.audio import read_audio

    wave, rate = read_audio(sample)
    loud = np.abs(wave)
    if loud.max() < _SILENCE:
        return Measured({"bad": "the audio is silent"})
    facts = {"seconds": len(wave) / rate, "rate": rate, "peak": float(loud.max())}
    facts["clipped"] = float((loud >= _FULL).mean())
    picture = _spectrogram(wave, rate)
    return Measured(facts | {"near": _perceptual_hash(picture)}, _jpeg(picture))


def _text(sample: str) -> Measured:
    same = " ".join(words(sample)) or sample
    return Measured({"words": len(sample.split()), "near": hashlib.sha256(same.encode()).hexdigest()[:16]})


def _table(sample: dict[str, object]) -> Measured:
    missing = sum(cell is None for cell in sample.values())
    return Measured({"cells": len(sample), "missing": missing / len(sample)})


def _series(sample: np.ndarray) -> Measured:
    missing = float(1 - np.isfinite(sample).mean())
    return Measured({"steps": sample.shape[0], "channels": sample.shape[1], "missing": missing})


def _vector(sample: np.ndarray) -> Measured:
    return Measured({"width": sample.size})


_MEASURES = cast(
    dict[Modality, Callable[[Sample], Measured]],
    {"image": _image, "audio": _audio, "text": _text, "table": _table, "series": _series, "vector": _vector},
)


def _perceptual_hash(image: Image.Image) -> str:
    """64 bits in hex, of which few differ between versions of one picture (imagehash's pHash)."""
    import imagehash

    return str(imagehash.phash(image))


def _spectrogram(wave: np.ndarray, rate: int) -> Image.Image:
    """Loudness in decibels, time to the right, pitch upwards to 4 kHz, in grey."""
    from scipy.signal import spectrogram

    wave = np.pad(wave, (0, max(0, 2 - len(wave))))
    window = min(len(wave), rate // 20)
    pitches, _, power = spectrogram(wave, rate, nperseg=window, noverlap=window // 2)  # [pitch, time]
    loudness = 10 * np.log10(power[pitches <= _HIGHEST][::-1] + 1e-10)
    grey = np.clip(1 + (loudness - loudness.max()) / _RANGE, 0, 1) * 255
    return Image.fromarray(grey.astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BOX)


def _jpeg(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
