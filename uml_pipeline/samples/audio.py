"""Audio files: the one way in which every stage opens them."""

import re
from fractions import Fraction
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.samples.files import read_bytes

if TYPE_CHECKING:
    from soundfile import SoundFile
    from torchaudio.transforms import Resample

    from uml_pipeline.samples import Sample

SUFFIXES = frozenset({".aif", ".aiff", ".flac", ".mp3", ".ogg", ".opus", ".wav"})
_RATES = range(1_000, 768_001)  # Hz; what else a header says is damage, and a resampler of it would fill the memory
_FINEST = 1_000  # all usual rates have a ratio of smaller numbers; others are off by less than one in a million
# libsndfile corrects a header that promises more than there is, and notes it.
_SIZE = re.compile(r"^ *(?:data|SSND|Data Size) *: (\d+) \(should be (\d+)\)", re.M)
_CUT = re.compile(r"^Ogg ?: (?:Last page lacks|Junk after)|Calculated frame count \d+ does not match", re.M)
_STREAMED = 0x7FFFF000  # bytes, and more: what programs write that did not know the size yet
_FUZZ = 0.99  # of the frames that an MP3's header promises: encoders count their padding differently


def read_audio(file: Path | bytes) -> tuple[np.ndarray, int]:
    """Decode a whole file, or its content: mono (the mean of its channels), float32 [sample], full scale is 1; and its
    rate in Hz. At least one sample, all of them finite.

    Raises:
        UserError: the file is missing, damaged, truncated, empty or no audio.
    """
    import soundfile

    content, where = read_bytes(file)
    try:
        with soundfile.SoundFile(_Content(content)) as sound:
            channels = sound.read(dtype="float32", always_2d=True)  # [sample, channel]
            rate, cut = sound.samplerate, _is_cut(sound, content, len(channels))
    except soundfile.LibsndfileError as error:
        raise _damaged("not readable audio", f"{where}: {error.error_string}") from None  # all of it names our buffer
    except (MemoryError, RuntimeError, ValueError) as error:
        raise _damaged("not readable audio", f"{where}: {error}") from None
    if cut:
        raise _damaged("the audio is truncated", where)
    if not len(channels):
        raise _damaged("the audio is empty", where)
    if rate not in _RATES:
        raise _damaged(f"not readable audio: its sample rate is {rate} Hz", where)
    if not np.isfinite(channels).all():
        raise _damaged("the audio holds NaN or infinity", where)
    return channels.mean(1), rate


class _Content(BytesIO):
    """Bytes as a file that stays where it is when a damaged header sends the reader before its start: an error there
    would be printed by a callback that nobody can catch.
    """

    def seek(self, offset: int, whence: int = 0, /) -> int:
        try:
            return super().seek(offset, whence)
        except ValueError:
            return self.tell()


def read_at(sample: "Sample", rate: int) -> np.ndarray:
    """A sample of an audio silo as `read_audio` gives it, but at this rate.

    Raises:
        UserError: as `read_audio` does.
    """
    return resample(*read_audio(cast("Path | bytes", sample)), rate)


def resample(wave: np.ndarray, rate: int, to: int) -> np.ndarray:
    """`wave` [sample] at another rate (torchaudio's windowed sinc interpolation)."""
    import torch

    if rate == to:
        return wave
    with torch.inference_mode():
        return _resampler(Fraction(rate, to).limit_denominator(_FINEST))(torch.from_numpy(wave)).numpy()


@lru_cache(16)
def _resampler(ratio: Fraction) -> "Resample":
    from torchaudio.transforms import Resample

    return Resample(ratio.numerator, ratio.denominator)


def _is_cut(sound: "SoundFile", content: bytes, frames: int) -> bool:
    """Whether there is less audio than the header promises."""
    if sound.format == "MP3":  # only such a header makes its number more than an estimate
        return (b"Xing" in content or b"Info" in content) and frames < _FUZZ * sound.frames
    notes = sound.extra_info
    sizes = [(int(promised), int(found)) for promised, found in _SIZE.findall(notes)]
    return bool(_CUT.search(notes)) or any(found < promised < _STREAMED for promised, found in sizes)


def _damaged(what: str, where: str) -> UserError:
    return UserError(what, where=where, fix="replace or remove the file")
