"""`builtin/yamnet`: the audio event network YAMNet, from a local checkpoint."""

import shutil
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchaudio.compliance.kaldi import get_mel_banks

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import WEIGHTS, Encoder, Spec, digest, no_checkpoint
from uml_pipeline.features.torch_images import state_bytes
from uml_pipeline.samples import Sample
from uml_pipeline.samples.audio import read_at

_RATE = 16_000  # Hz
_WINDOW, _HOP, _FFT = 400, 160, 512  # samples
_BANDS, _LOWEST, _HIGHEST = 64, 125.0, 7500.0  # Hz
_FLOOR = 0.001
_PATCH, _PATCH_HOP = 96, 48  # frames
_SHORTEST = _WINDOW + (_PATCH - 1) * _HOP  # samples
_AT_ONCE = 32  # patches that the network sees at a time: the fastest of 1 to 64 on a CPU
_ARCH: dict[str, Any] = {"model_name": "mobilenetv1_100", "in_chans": 1, "num_classes": 521, "pad_type": "same"}


class YamnetEncoder(Encoder):
    """Mean of YAMNet's embeddings of the patches of 0.96 s that begin every 0.48 s."""

    modality, dim = "audio", 1024

    def __init__(self, spec: Spec) -> None:
        """Load `checkpoint`: timm's `mobilenetv1_100` with one input channel and AudioSet's 521 classes.

        Raises:
            UserError: there is none, or it does not fit.
        """
        if spec.checkpoint is None:
            fix = "give it the safetensors file of YAMNet as `checkpoint:`, or take `builtin/logmel`"
            raise UserError("builtin/yamnet comes without weights", where=f"encoder: {spec.name}", fix=fix)
        self.name = spec.name
        self._checkpoint = spec.checkpoint
        self.net = _load(spec.checkpoint)
        self.fingerprint = digest(chain([b"yamnet 1"], state_bytes(self.net.state_dict())))
        self.space = self.fingerprint  # aligned with nothing else that we know of

    def prepare(self, samples: Sequence[Sample]) -> list[Tensor]:
        """See Encoder. [patch, 1, frame, band]."""
        return [patches(torch.from_numpy(read_at(sample, _RATE))) for sample in samples]

    def size(self, shape: tuple[int, ...]) -> int:
        """See Encoder."""
        return max(1, _AT_ONCE // shape[0])

    def compute(self, batch: Tensor) -> Tensor:
        """See Encoder."""
        assert self.net is not None
        parts = batch.split(_AT_ONCE, 1)  # a long clip does not fit into memory
        embeddings = [self.net(part.flatten(0, 1)).unflatten(0, part.shape[:2]) for part in parts]
        return torch.cat(embeddings, 1).float().mean(1)

    def export(self, folder: Path) -> None:
        """Copy the checkpoint to `folder`/encoder.safetensors."""
        shutil.copyfile(self._checkpoint, folder / WEIGHTS)


def patches(wave: Tensor) -> Tensor:
    """YAMNet's front end: 16 kHz [sample] to log-mel patches [patch, 1, 96 frames, 64 bands]. Short clips end in
    silence; what is left of a long one after its last whole patch is cut.
    """
    wave = nn.functional.pad(wave, (0, max(0, _SHORTEST - len(wave))))
    frames = wave.unfold(0, _WINDOW, _HOP) * torch.hann_window(_WINDOW)  # [frame, sample]
    # Triangles in mel, where torchaudio's melscale_fbanks has them in Hz; without the Nyquist frequency.
    bands, _ = get_mel_banks(_BANDS, _FFT, _RATE, _LOWEST, _HIGHEST, 0.0, 0.0, 1.0)  # [band, _FFT / 2]
    spectrum = torch.fft.rfft(frames, _FFT).abs()[:, :-1] @ bands.T
    return torch.log(spectrum + _FLOOR).unfold(0, _PATCH, _PATCH_HOP).mT[:, None].contiguous()


def _load(checkpoint: Path) -> nn.Module:
    import timm
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    net = timm.create_model(**_ARCH)
    try:
        net.load_state_dict(load_file(checkpoint))
    except FileNotFoundError:
        raise no_checkpoint(checkpoint) from None
    except (OSError, SafetensorError, RuntimeError) as error:
        where = f"{checkpoint}: {str(error).splitlines()[0]}"
        fix = "give a safetensors file of timm's mobilenetv1_100 with in_chans=1 and num_classes=521"
        raise UserError("the checkpoint is not one of YAMNet", where=where, fix=fix) from None
    net.reset_classifier(0)
    return net.eval()
