"""Image encoders of timm, with the hub's weights or a local checkpoint."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import torch
import yaml
from torch import Tensor

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import WEIGHTS, Batch, Encoder, Sample, digest, unknown
from uml_pipeline.features.torch_images import batches, ready, state_bytes


class TimmEncoder(Encoder):
    """`timm/<name>[?keyword=value&...]`: pooled features before the classifier, with timm's own preprocessing."""

    modality = "image"

    def __init__(self, name: str, checkpoint: Path | None) -> None:
        """Build the network and load `checkpoint`, or else the pretrained weights of the hub (or its local cache).

        Raises:
            UserError: no such network or keyword, or the weights cannot be had or do not fit.
        """
        import timm

        self.name = name
        arch, _, query = name.removeprefix("timm/").partition("?")
        kwargs = {key: yaml.safe_load(value) for key, value in parse_qsl(query)}
        net = _create(arch, kwargs, pretrained=checkpoint is None)
        if checkpoint:
            net.load_state_dict(_read(checkpoint, net))
        self._net = ready(net)
        data = timm.data.resolve_model_data_config(self._net)
        self._prepare = timm.data.create_transform(**data, is_training=False)
        with torch.inference_mode():
            self.dim = int(self._net(torch.zeros(1, *data["input_size"])).shape[1])
        recipe = f"{arch} {sorted(kwargs.items())} {sorted(data.items())}".encode()
        self.fingerprint = digest([recipe, *state_bytes(self._net.state_dict())])
        self.space = self.fingerprint  # aligned with nothing else that we know of

    def batches(self, samples: Sequence[Sample]) -> Iterator[Batch]:
        """See Encoder."""
        return batches(self._net, self._prepare, samples)

    def export(self, folder: Path) -> None:
        """Write the weights as `folder`/encoder.safetensors."""
        from safetensors.torch import save_file

        save_file({key: value.contiguous() for key, value in self._net.state_dict().items()}, folder / WEIGHTS)


def _create(arch: str, kwargs: dict[str, Any], *, pretrained: bool) -> Any:
    import timm

    if not timm.is_model(arch):
        raise unknown(f"timm/{arch}", [f"timm/{known}" for known in timm.list_models()])
    try:
        return timm.create_model(arch, pretrained=pretrained, num_classes=0, **kwargs)
    except TypeError as error:
        fix = "correct what follows the `?` in `encoder`"
        raise UserError(f"timm refuses a keyword of {arch!r}", where=str(error), fix=fix) from None
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(
            f"the pretrained weights of timm/{arch} cannot be had",
            where=str(error).splitlines()[0],
            fix="check the network and the name's tag, or name a local safetensors file: `checkpoint:`",
        ) from None


def _read(checkpoint: Path, net: Any) -> dict[str, Tensor]:
    """The checkpoint's tensors without those of a classifier."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(checkpoint)
    except (OSError, SafetensorError) as error:
        fix = "give a safetensors file"
        raise UserError("the checkpoint cannot be read", where=f"{checkpoint}: {error}", fix=fix) from None
    heads = net.pretrained_cfg.get("classifier") or ()
    heads = tuple(f"{head}." for head in ([heads] if isinstance(heads, str) else heads))
    state = {key: value for key, value in state.items() if not key.startswith(heads)}
    wanted = {key: value.shape for key, value in net.state_dict().items()}
    given = {key: value.shape for key, value in state.items()}
    unfit = [key for key in sorted({*wanted, *given}) if wanted.get(key) != given.get(key)]
    if unfit:
        raise UserError(
            f"the checkpoint does not fit the network: {len(unfit)} of {len(wanted)} tensors differ",
            where=f"{checkpoint}: {', '.join(unfit[:3])}",
            fix="name the architecture that the checkpoint is of in `encoder`",
        )
    return state
