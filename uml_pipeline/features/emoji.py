"""The built-in image encoder: EmojiNet with the committed weights."""

from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from uml_pipeline.features.emoji_net import DIM, EmojiNet
from uml_pipeline.features.encoders import Spec, digest
from uml_pipeline.features.torch_images import ImageEncoder, ready

SIDE = 64  # pixels
_WEIGHTS = Path(__file__).parent / "weights" / "emoji.safetensors"


class EmojiEncoder(ImageEncoder):
    """Images of any size, squeezed to 64x64. The network is loaded when the first image comes."""

    dim, space, stepwise = DIM, "minilm", True
    recipe = f"squeezed to {SIDE} x {SIDE} pixels, bilinear"

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.fingerprint = digest([b"EmojiNet, bilinear 64x64 on white", _WEIGHTS.read_bytes()])

    @cached_property
    def net(self) -> nn.Module:  # type: ignore[override]
        """See Encoder."""
        from safetensors.torch import load_file

        net = EmojiNet()
        net.load_state_dict(load_file(_WEIGHTS))  # float16 on disk, float32 here
        return ready(net)

    def pixels(self, image: Image.Image) -> Tensor:
        """See ImageEncoder."""
        squeezed = np.array(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
        return torch.from_numpy(squeezed).permute(2, 0, 1)

    def grid(self, images: Tensor) -> Tensor:
        """See ImageEncoder."""
        return cast(EmojiNet, self.net).grid(images)
