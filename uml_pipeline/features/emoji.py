"""The built-in image encoder: EmojiNet with the committed weights."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from uml_pipeline.features.emoji_net import DIM, EmojiNet
from uml_pipeline.features.encoders import Batch, Encoder, Sample, digest
from uml_pipeline.features.torch_images import batches, ready

SIDE = 64  # pixels
_WEIGHTS = Path(__file__).parent / "weights" / "emoji.safetensors"


class EmojiEncoder(Encoder):
    """Images of any size, squeezed to 64x64. The network is loaded when the first image comes."""

    name, modality, dim, space = "builtin/emoji", "image", DIM, "minilm"

    def __init__(self) -> None:
        self.fingerprint = digest([b"EmojiNet, bilinear 64x64 on white", _WEIGHTS.read_bytes()])
        self._net: torch.nn.Module | None = None

    def batches(self, samples: Sequence[Sample]) -> Iterator[Batch]:
        """See Encoder."""
        if samples:
            self._net = self._net or ready(_load())
            yield from batches(self._net, _prepare, samples)

    def export(self, folder: Path) -> None:
        """Nothing to write: the weights are part of this package."""


def _load() -> EmojiNet:
    from safetensors.torch import load_file

    net = EmojiNet()
    net.load_state_dict(load_file(_WEIGHTS))  # float16 on disk, float32 here
    return net


def _prepare(image: Image.Image) -> Tensor:
    array = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    return torch.from_numpy(array.copy()).permute(2, 0, 1).float() / 255
