"""How each kind of audio network in transformers is fed, and which of its outputs is a clip's vector."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor

_LONGEST = 30  # seconds of sound that a wave network sees: its memory grows with the square


class Tower(ABC):
    """One kind of network with its feature extractor."""

    batch = 4
    """How many clips make one."""

    def __init__(self, net: Any, extractor: Any) -> None:
        self.config, self.extractor = net.config, extractor

    @property
    def dim(self) -> int:
        """Width of a clip's vector."""
        return self.config.hidden_size

    @abstractmethod
    def prepare(self, wave: np.ndarray) -> Tensor:
        """What the network reads, from a mono clip [sample] at the extractor's rate."""

    @abstractmethod
    def compute(self, net: Any, batch: Tensor) -> Tensor:
        """Vectors [clip, dim] of prepared clips."""

    def extract(self, wave: np.ndarray, **options: Any) -> dict[str, Tensor]:
        """The extractor's tensors for one clip."""
        found = self.extractor(wave, sampling_rate=self.extractor.sampling_rate, return_tensors="pt", **options)
        return {key: value[0] for key, value in found.items()}


class SpectrogramTower(Tower):
    """Audio Spectrogram Transformer: mean of its two class tokens, which its own classifier reads. It sees the first
    10 seconds.
    """

    _SHORTEST = 400  # samples: one frame of the spectrogram

    def prepare(self, wave: np.ndarray) -> Tensor:
        """See Tower."""
        return self.extract(_padded(wave, self._SHORTEST))["input_values"]  # [frame, band]

    def compute(self, net: Any, batch: Tensor) -> Tensor:
        """See Tower."""
        return net(input_values=batch).pooler_output


class WaveTower(Tower):
    """wav2vec 2.0, HuBERT, WavLM: mean of the last hidden states over time. Clips of one length make a batch, nothing
    is padded: the smaller of these networks were trained without a mask for padding.
    """

    batch = 1  # lengths are seldom equal

    @property
    def dim(self) -> int:
        """See Tower."""
        return self.config.output_hidden_size if getattr(self.config, "add_adapter", False) else self.config.hidden_size

    def prepare(self, wave: np.ndarray) -> Tensor:
        """See Tower. Samples after the last whole frame are cut, so that fewer lengths differ."""
        wave = _padded(wave[: _LONGEST * self.extractor.sampling_rate], self._samples(1))
        return self.extract(wave[: self._samples(self._frames(len(wave)))])["input_values"]  # [sample]

    def compute(self, net: Any, batch: Tensor) -> Tensor:
        """See Tower."""
        return net(batch).last_hidden_state.float().mean(1)

    def _frames(self, samples: int) -> int:
        for kernel, stride in zip(self.config.conv_kernel, self.config.conv_stride, strict=True):
            samples = (samples - kernel) // stride + 1
        return samples

    def _samples(self, frames: int) -> int:
        for kernel, stride in reversed([*zip(self.config.conv_kernel, self.config.conv_stride, strict=True)]):
            frames = (frames - 1) * stride + kernel
        return frames


class WhisperTower(Tower):
    """Whisper's encoder: mean of the last hidden states over the frames that hold sound. It sees the first 30
    seconds.
    """

    def prepare(self, wave: np.ndarray) -> Tensor:
        """See Tower. The last row is 1 where there is sound."""
        found = self.extract(wave, return_attention_mask=True)
        return torch.cat([found["input_features"], found["attention_mask"][None].float()])  # [band + 1, frame]

    def compute(self, net: Any, batch: Tensor) -> Tensor:
        """See Tower."""
        hidden = net(batch[:, :-1]).last_hidden_state.float()  # [clip, frame / 2, dim]
        sound = batch[:, -1, ::2, None].float()
        return (hidden * sound).sum(1) / sound.sum(1)


class ClapTower(Tower):
    """CLAP's audio tower, projected to the space that it shares with texts. It sees the first 10 seconds, where its
    extractor would choose 10 at random.
    """

    @property
    def dim(self) -> int:
        """See Tower."""
        return self.config.projection_dim

    def prepare(self, wave: np.ndarray) -> Tensor:
        """See Tower."""
        return self.extract(wave[: self.extractor.nb_max_samples])["input_features"].float()  # [1 or 4, frame, band]

    def compute(self, net: Any, batch: Tensor) -> Tensor:
        """See Tower."""
        longer = torch.zeros(len(batch), 1, dtype=torch.bool, device=batch.device)
        return net.get_audio_features(input_features=batch, is_longer=longer).pooler_output


TOWERS: dict[str, type[Tower]] = {
    "audio-spectrogram-transformer": SpectrogramTower,
    "clap": ClapTower,
    "hubert": WaveTower,
    "wav2vec2": WaveTower,
    "wavlm": WaveTower,
    "whisper": WhisperTower,
}
"""By `model_type` of the configuration."""


def _padded(wave: np.ndarray, length: int) -> np.ndarray:
    """At least that long, by silence at the end."""
    return np.pad(wave, (0, max(0, length - len(wave))))
