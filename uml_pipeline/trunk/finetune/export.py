"""A trained network without what training alone needs: the encoder, and one folded linear map to the classes."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from uml_pipeline.features.encoders import TRAINED, Encoder, reopen
from uml_pipeline.learn.engine.loop import Fit
from uml_pipeline.trunk.finetune.network import Standard
from uml_pipeline.trunk.finetune.runs import Run


def export(run: Run, found: Fit, folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Write the encoder into `folder` in its own way; return the other tensors of the model, and the encoder's
    description.

    `head` [class, dim] has projection, logit scale and calibration folded in; `centre` [dim] is there where vectors are
    standardised. Encoders whose own way leaves the
    trained weights out (those that come with the library) have them beside the head, as `encoder.<name>`.
    """
    encoder, head = _folded(run, found)
    encoder.export(folder)
    reopened = reopen(encoder.describe(), folder)
    if _equal(reopened, encoder):
        return head, reopened.describe()
    return head | _weights(encoder), reopened.describe()


def bundle(run: Run, found: Fit) -> dict[str, Tensor]:
    """Head and encoder as tensors in one place."""
    encoder, head = _folded(run, found)
    return head | _weights(encoder)


def _folded(run: Run, found: Fit) -> tuple[Encoder, dict[str, Tensor]]:
    model = run.build().model
    model.load_state_dict(found.weights)
    model.eval()
    look = next(one for one in found.history if one["step"] == found.best)
    with torch.no_grad():
        tensors = {"head": (look["factor"] * model.folded()).contiguous()}
    if isinstance(model.standard, Standard):
        tensors["centre"] = model.standard.centre
    return model.encoder.encoder, tensors


def _weights(encoder: Encoder) -> dict[str, Tensor]:
    state = _net(encoder).state_dict()
    return {TRAINED + name: value.detach().contiguous().clone() for name, value in state.items()}


def _equal(one: Encoder, other: Encoder) -> bool:
    ours, theirs = _net(one).state_dict(), _net(other).state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def _net(encoder: Encoder) -> nn.Module:
    assert encoder.net is not None
    return encoder.net
