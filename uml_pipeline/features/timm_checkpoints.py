"""Local safetensors files for networks of timm."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import no_checkpoint


def read(checkpoint: Path, net: Any) -> dict[str, Tensor]:
    """The checkpoint's tensors without those of a classifier. Where they differ from the network's, timm's own filter
    of checkpoints may mend it: older names, a vision transformer's places for another image size.

    Raises:
        UserError: no such file, or it is of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = _headless(load_file(checkpoint), net)
    except FileNotFoundError:
        raise no_checkpoint(checkpoint) from None
    except (OSError, SafetensorError) as error:
        fix = "give a safetensors file"
        raise UserError("the checkpoint cannot be read", where=f"{checkpoint}: {error}", fix=fix) from None
    mend = getattr(sys.modules[type(net).__module__], "checkpoint_filter_fn", None)
    if mend and _unfit(state, net):
        with suppress(AssertionError, AttributeError, KeyError, RuntimeError):  # of another network altogether
            state = _headless(mend(state, net), net)
    if unfit := _unfit(state, net):
        raise UserError(
            f"the checkpoint does not fit the network: {len(unfit)} tensors differ",
            where=f"{checkpoint}: {', '.join(unfit[:3])}",
            fix="name the architecture that the checkpoint is of in `encoder`",
        )
    return state


def _headless(state: dict[str, Tensor], net: Any) -> dict[str, Tensor]:
    heads = net.pretrained_cfg.get("classifier") or ()
    heads = tuple(f"{head}." for head in ([heads] if isinstance(heads, str) else heads))
    return {key: value for key, value in state.items() if not key.startswith(heads)}


def _unfit(state: dict[str, Tensor], net: Any) -> list[str]:
    """Names of tensors that only one of both has, or of another shape."""
    wanted = {key: value.shape for key, value in net.state_dict().items()}
    given = {key: value.shape for key, value in state.items()}
    return [key for key in sorted({*wanted, *given}) if wanted.get(key) != given.get(key)]
