"""`builtin/logmel`: how loud each pitch is on average and how much that changes. No network, no training."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchaudio.transforms import MelSpectrogram

from uml_pipeline.features.encoders import Encoder, Spec, digest
from uml_pipeline.samples import Sample
from uml_pipeline.samples.audio import read_at

_RATE = 16_000  # Hz
_BANDS = 64
_SPECTRUM = {"n_fft": 1024, "win_length": 400, "hop_length": 160, "pad_mode": "constant"}  # frames of 25 ms every 10 ms
_FLOOR = 0.01  # of the power: what is softer counts as silence
_STEP = 10  # frames of a sequence's step: a tenth of a second


class LogMelEncoder(Encoder):
    """Mean (64 numbers) and standard deviation (64 more) over time of the log-mel spectrogram at 16 kHz."""

    modality, dim, sequential = "audio", 2 * _BANDS, True

    def __init__(self, spec: Spec) -> None:
        self.name = spec.name
        self.fingerprint = digest([f"logmel 1 {_RATE} {_BANDS} {_SPECTRUM} {_FLOOR}".encode()])
        self.space = self.fingerprint  # aligned with nothing else
        self._spectrogram = MelSpectrogram(_RATE, n_mels=_BANDS, **_SPECTRUM)

    def prepare(self, samples: Sequence[Sample]) -> list[Tensor]:
        """See Encoder. The vectors themselves."""
        spectra = (self._spectrum(sample) for sample in samples)
        return [torch.cat([one.mean(1), one.std(1, correction=0)]) for one in spectra]

    def sequences(self, samples: Sequence[Sample]) -> list[Tensor]:
        """See Encoder. The spectrogram, averaged over every tenth of a second: [step, band]."""
        spectra = (self._spectrum(sample) for sample in samples)
        return [torch.stack([part.mean(1) for part in one.split(_STEP, 1)]) for one in spectra]

    def _spectrum(self, sample: Sample) -> Tensor:
        """[band, frame]."""
        return torch.log(self._spectrogram(torch.from_numpy(read_at(sample, _RATE))) + _FLOOR)
