"""Image encoders of timm, with the hub's weights or a local checkpoint."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import WEIGHTS, Spec, digest, list_encoders, unknown
from uml_pipeline.features.grids import grid_of
from uml_pipeline.features.hub_reach import impatient
from uml_pipeline.features.timm_checkpoints import read
from uml_pipeline.features.timm_options import split
from uml_pipeline.features.torch_images import ImageEncoder, ready, state_bytes


class TimmEncoder(ImageEncoder):
    """`timm/<name>[?keyword=value&...]`: pooled features before the classifier, with timm's own preprocessing for that
    name but for what the keywords say (timm_options.py).
    """

    stepwise = True

    def __init__(self, spec: Spec) -> None:
        """Build the network and load `checkpoint`, or else the pretrained weights of the hub (or its local cache).

        Raises:
            UserError: no such network or keyword, or the weights cannot be had or do not fit.
        """
        import timm

        super().__init__(spec)
        wanted, kwargs = split(spec)
        self.net = _create(spec, kwargs, wanted)
        if spec.checkpoint:
            self.net.load_state_dict(read(spec.checkpoint, self.net))
        ready(self.net)
        data = timm.data.resolve_model_data_config(self.net, wanted)
        self.mean, self.std = data["mean"], data["std"]
        self._pixels = timm.data.create_transform(**data, is_training=False, normalize=False)
        self.recipe = " ".join(str(self._pixels).split())
        self.dim = self._width(data["input_size"])
        recipe = f"{spec.rest} {sorted(kwargs.items())} {sorted(data.items())}".encode()
        self.fingerprint = digest([recipe, *state_bytes(self.net.state_dict())])
        self.space = self.fingerprint  # aligned with nothing else that we know of

    def pixels(self, image: Image.Image) -> Tensor:
        """See ImageEncoder."""
        return self._pixels(image)

    def grid(self, images: Tensor) -> Tensor:
        """See ImageEncoder. Patches without class token and registers; a convnet's last cells.

        Raises:
            UserError: the network gives neither.
        """
        found = self.net.forward_features(images)
        if isinstance(found, Tensor) and found.ndim == 3:
            return grid_of(found[:, getattr(self.net, "num_prefix_tokens", 0) :], images)
        if isinstance(found, Tensor) and found.ndim == 4:
            return found.permute(0, 3, 1, 2) if getattr(self.net, "output_fmt", "NCHW") == "NHWC" else found
        fix = "write `raw` or `vector` for this silo in `trunk.ssl.inputs`"
        raise UserError(f"{self.name!r} gives no grid of features", where=f"encoder: {self.name}", fix=fix)

    def export(self, folder: Path) -> None:
        """Write the weights as `folder`/encoder.safetensors."""
        from safetensors.torch import save_file

        save_file({key: value.contiguous() for key, value in self.net.state_dict().items()}, folder / WEIGHTS)

    def _width(self, size: tuple[int, int, int]) -> int:
        try:
            with torch.inference_mode():
                vector = self.net(torch.zeros(1, *size))
        except (AssertionError, RuntimeError) as error:
            fix = "correct what follows the `?` in `encoder`: channels, `img_size`"
            where = f"{size}: {str(error).splitlines()[0]}"
            raise UserError(f"{self.name!r} does not take images of this size", where=where, fix=fix) from None
        if vector.ndim != 2:
            fix = "choose another `global_pool`"
            raise UserError(f"{self.name!r} gives no vector", where=f"{tuple(vector.shape)}", fix=fix)
        return vector.shape[1]


def _create(spec: Spec, kwargs: dict[str, Any], wanted: dict[str, Any]) -> Any:
    import timm

    arch = spec.rest
    if not arch:
        raise unknown(spec.name, list_encoders())
    if not timm.is_model(arch):
        raise unknown(f"timm/{arch}", [f"timm/{known}" for known in timm.list_models()])
    size = wanted.get("img_size") or wanted.get("input_size", ())[1:]
    known = timm.get_pretrained_cfg(arch)
    sized = {"img_size": size} if size and known and known.fixed_input_size else {}
    instead = "name a local safetensors file: `checkpoint:`"
    hub = nullcontext() if spec.checkpoint else impatient(f"weights of timm/{arch}", instead)
    try:
        with hub:
            return timm.create_model(arch, pretrained=spec.checkpoint is None, num_classes=0, **kwargs, **sized)
    except (AssertionError, TypeError) as error:
        fix = "correct what follows the `?` in `encoder`"
        raise UserError(f"timm refuses a keyword of {arch!r}", where=str(error), fix=fix) from None
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(
            f"the pretrained weights of timm/{arch} cannot be had",
            where=str(error).splitlines()[0],
            fix=f"check the name's tag, or {instead}",
        ) from None
