"""Image encoders of Hugging Face transformers: CLIP and SigLIP's image towers, vision transformers, convnets."""

from itertools import chain
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from uml_pipeline.features import two_towers
from uml_pipeline.features.encoders import Spec, digest
from uml_pipeline.features.grids import grid_of
from uml_pipeline.features.hub_loading import EXPORTED, Checkpoint, opened, recipe
from uml_pipeline.features.torch_images import ImageEncoder, ready, state_bytes

_CLASS_TOKEN = {"deit", "dinov2", "dinov2_with_registers", "dinov3_vit", "vit"}
_MEAN = {"beit", "convnext", "convnextv2", "resnet", "swin", "swinv2"}  # over the image, which they pool themselves
_MERGED = {"swin", "swinv2"}  # layers join patches, and nothing stands beside them
_TWO_TOWERS = {kind for kind, modalities in two_towers.KINDS.items() if "image" in modalities}
_KINDS = sorted(_CLASS_TOKEN | _MEAN | _TWO_TOWERS)
_POOLER = "pooler"  # a vision transformer's: most checkpoints lack it, nothing here reads it


class ImageHubEncoder(ImageEncoder):
    """`transformers/<name or folder>[?revision=...]` on images as the checkpoint's own image processor prepares them:
    of two towers the projected vector, of a vision transformer its class token, of others the mean over the image.
    """

    stepwise = True

    def __init__(self, spec: Spec) -> None:
        """Load from a folder, or by its name from the hub (or the hub's local cache).

        Raises:
            UserError: neither is possible, or it is another kind of network.
        """
        super().__init__(spec)
        spec.chosen("revision")
        self.net, self._processor = _load(spec)
        ready(self.net)
        self.recipe = self._processor.to_json_string()
        words = [b"image 1", *recipe(self.net), self._processor.to_json_string().encode()]
        self.fingerprint = digest(chain(words, state_bytes(self.net.state_dict())))
        self.space = getattr(self.net.config, "space", self.fingerprint)
        self.dim = self._width()

    def pixels(self, image: Image.Image) -> Tensor:
        """See ImageEncoder."""
        return self._processor(images=image, return_tensors="pt")["pixel_values"][0]

    def pooled(self, images: Tensor) -> Tensor:
        """See ImageEncoder."""
        kind = self.net.config.model_type
        if kind in _TWO_TOWERS:
            return self.net.get_image_features(pixel_values=images).pooler_output
        found = self.net(pixel_values=images)
        return found.last_hidden_state[:, 0] if kind in _CLASS_TOKEN else found.pooler_output.flatten(1)

    def grid(self, images: Tensor) -> Tensor:
        """See ImageEncoder. Last hidden states of the patches, without class token and registers; a convnet's last
        cells. Of two towers before they are projected.
        """
        kind = self.net.config.model_type
        net = self.net.vision_model if kind in _TWO_TOWERS else self.net
        found = net(pixel_values=images).last_hidden_state
        if found.ndim == 4:
            return found
        if kind in _MERGED:
            return grid_of(found, images)
        rows, columns = (side // net.config.patch_size for side in images.shape[-2:])
        return grid_of(found[:, -rows * columns :], images)  # what else there is stands before them

    def export(self, folder: Path) -> None:
        """Write network and image processor into `folder`/encoder."""
        self.net.save_pretrained(folder / EXPORTED)
        self._processor.save_pretrained(folder / EXPORTED)

    def _width(self) -> int:
        with torch.inference_mode():
            return self.pooled(self.pixels(Image.new("RGB", (64, 64)))[None]).shape[1]


def _load(spec: Spec) -> tuple[Any, Any]:
    """Network and image processor, ready to infer."""
    from transformers import AutoImageProcessor

    with opened(spec, "image", _KINDS) as found:
        return _network(found), AutoImageProcessor.from_pretrained(found.source, **found.options)


def _network(found: Checkpoint) -> Any:
    if found.config.model_type in _TWO_TOWERS:
        return two_towers.tower(found, "image")
    return found.network(without=[_POOLER] if found.config.model_type in _CLASS_TOKEN else [])
