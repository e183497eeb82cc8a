"""Spoilt sounds."""

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import cast

import numpy as np

from uml_pipeline.report.robustness.damage import Damage, Spoil
from uml_pipeline.samples import Sample
from uml_pipeline.samples.audio import read_audio

Change = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def damages(samples: Sequence[Sample]) -> list[Damage]:
    """Four kinds."""
    return [
        Damage("noise", "signal to noise, dB", (20, 10, 0), _of(noise)),
        Damage("gain", "dB", (-10, -20, -30), _of(gain)),
        Damage("clipping", "share of the peak that is left", (0.5, 0.2, 0.05), _of(clipping)),
        Damage("shift", "share of the length", (0.1, 0.25, 0.5), _of(shift)),
    ]


def _of(change: Change) -> Spoil:
    """From file to file at the same rate, in floating point."""

    def spoil(sample: Sample, strength: float, draw: np.random.Generator) -> bytes:
        import soundfile

        wave, rate = read_audio(cast(bytes, sample))
        buffer = BytesIO()
        spoilt = change(wave, strength, draw).astype(np.float32)
        soundfile.write(buffer, spoilt, rate, format="WAV", subtype="FLOAT")
        return buffer.getvalue()

    return spoil


def noise(wave: np.ndarray, strength: float, draw: np.random.Generator) -> np.ndarray:
    """White, so much softer than the sound."""
    loud = np.sqrt((wave.astype(np.float64) ** 2).mean())
    return wave + loud * 10 ** (-strength / 20) * draw.normal(size=len(wave))


def gain(wave: np.ndarray, strength: float, draw: np.random.Generator) -> np.ndarray:
    """Softer."""
    return wave * 10 ** (strength / 20)


def clipping(wave: np.ndarray, strength: float, draw: np.random.Generator) -> np.ndarray:
    """Cut off above."""
    most = strength * np.abs(wave).max()
    return np.clip(wave, -most, most)


def shift(wave: np.ndarray, strength: float, draw: np.random.Generator) -> np.ndarray:
    """Later: silence first, and the end is lost."""
    late = min(int(strength * len(wave)), len(wave) - 1)
    return np.concatenate([np.zeros(late, wave.dtype), wave[: len(wave) - late]])
