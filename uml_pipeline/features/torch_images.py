"""What image encoders share: the views of an image, batches of one fixed shape, and a fingerprint of their weights."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import interpolate, unfold

from uml_pipeline.features.encoders import Encoder, Spec
from uml_pipeline.features.grids import cells
from uml_pipeline.features.views import crops
from uml_pipeline.samples import Sample
from uml_pipeline.samples.images import read_image

_BATCH = 8  # images; larger ones are no faster on a CPU
_GRID, _PATCH = 7, 8  # a sequence has 7 x 7 patches of 8 x 8 pixels
Channels = tuple[float, float, float]


class ImageEncoder(Encoder):
    """Every view of an image through one network. A subclass sets `net`, and writes `pixels`, perhaps `pooled`, and
    `grid` if it is `stepwise`.
    """

    modality, sequential = "image", True
    net: Any
    mean: Channels = (0.0, 0.0, 0.0)
    """Taken from the pixels, which are in [0, 1] then."""
    std: Channels = (1.0, 1.0, 1.0)
    recipe: str = "what the encoder's own `pixels` does"
    """What `pixels` does, in words or as its library writes it."""

    def __init__(self, spec: Spec) -> None:
        self.name, self._flip, self._crops = spec.name, spec.flip, spec.crops
        self.views = 1 + spec.flip + spec.crops
        self.chunk = max(1, _BATCH // self.views)  # what waits in memory is no more than without further views

    @abstractmethod
    def pixels(self, image: Image.Image) -> Tensor:
        """An upright RGB image as the network's size wants it: [3, height, width], uint8; or float, normalised."""

    def pooled(self, images: Tensor) -> Tensor:
        """The vectors of normalised images: [image, 3, height, width] -> [image, dim]."""
        return self.net(images)

    def grid(self, images: Tensor) -> Tensor:
        """What the network makes of the parts of normalised images: [image, 3, height, width] ->
        [image, d, row, column].
        """
        raise NotImplementedError

    def prepare(self, samples: Sequence[Sample]) -> list[Tensor]:
        """See Encoder. [3, height, width]; where there are further views, [view, 3, height, width]."""
        return [self._viewed(read_image(cast("Path | bytes", sample))) for sample in samples]

    def sequences(self, samples: Sequence[Sample]) -> list[Tensor]:
        """See Encoder. Raw patches, row by row, of the image as the network wants it, made smaller: [49, 192]."""
        images = (read_image(cast("Path | bytes", sample)) for sample in samples)
        return [_patches(self.pixels(image)) for image in images]

    def size(self, shape: tuple[int, ...]) -> int:
        """See Encoder."""
        return _BATCH

    def compute(self, batch: Tensor) -> Tensor:
        """See Encoder. One view after the other: the shape, and so the first view's bits, are those of no views."""
        views = batch.unbind(1) if self.views > 1 else [batch]
        return torch.stack([self.pooled(self._normal(view)) for view in views], 1)

    def states(self, batch: Tensor, longest: int) -> Tensor:
        """See Encoder. Patches or cells, row by row, of images without further views."""
        return cells(self.grid(self._normal(batch)), longest)

    def _viewed(self, image: Image.Image) -> Tensor:
        first = self.pixels(image)
        if self.views == 1:
            return first
        mirrored = [first.flip(-1)] if self._flip else []
        return torch.stack([first, *mirrored, *(self.pixels(crop) for crop in crops(image, self._crops))])

    def _normal(self, images: Tensor) -> Tensor:
        images = images.contiguous(memory_format=torch.channels_last)
        if images.is_floating_point():
            return images
        mean, std = (torch.tensor(one, device=images.device)[:, None, None] for one in (self.mean, self.std))
        return ((images / 255 - mean) / std).to(next(self.net.parameters()).dtype)


def _patches(image: Tensor) -> Tensor:
    """[3, height, width] -> [patch, its numbers]."""
    side = _GRID * _PATCH
    pixels = image.float() / (1 if image.is_floating_point() else 255)
    small = interpolate(pixels[None], (side, side), mode="bilinear", antialias=True)
    return unfold(small, _PATCH, stride=_PATCH)[0].T.contiguous()


def ready(net: Any) -> nn.Module:
    """The network as `ImageEncoder` runs it best: for inference, channels last."""
    return net.eval().to(memory_format=torch.channels_last)


def state_bytes(state: Mapping[str, Tensor]) -> Iterator[bytes]:
    """Names, types, shapes and bytes of a state dict, for a fingerprint."""
    for name, tensor in sorted(state.items()):
        yield f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode()
        yield tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
