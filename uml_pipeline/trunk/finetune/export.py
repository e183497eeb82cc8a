"""A trained network without what training alone needs: the encoder, and one folded linear map to the classes."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from uml_pipeline.features.encoders import TRAINED, Encoder, reopen
from uml_pipeline.learn.engine.loop import Fit
from uml_pipeline.trunk.finetune.network import SharedHead
from uml_pipeline.trunk.finetune.runs import Run


def export(run: Run, found: Fit, folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Write the encoder into `folder` in its own way; return the other tensors of the model, and the encoder's
    description.

    `head` [class, dim] has projection, logit scale and calibration folded in. Encoders whose own way leaves the
    trained weights out (those that come with the library) have them beside the head, as `encoder.<name>`.
    """
    model, head = _folded(run, found)
    encoder = model.encoder.encoder
    encoder.export(folder)
    reopened = reopen(encoder.describe(), folder)
    if _equal(reopened, encoder):
        return {"head": head}, reopened.describe()
    return {"head": head} | _weights(encoder), reopened.describe()


def bundle(run: Run, found: Fit) -> dict[str, Tensor]:
    """Head and encoder as tensors in one place."""
    model, head = _folded(run, found)
    return {"head": head} | _weights(model.encoder.encoder)


def _folded(run: Run, found: Fit) -> tuple[SharedHead, Tensor]:
    model = run.build().model
    model.load_state_dict(found.weights)
    look = next(one for one in found.history if one["step"] == found.best)
    with torch.no_grad():
        return model.eval(), (look["factor"] * model.folded()).contiguous()


def _weights(encoder: Encoder) -> dict[str, Tensor]:
    state = _net(encoder).state_dict()
    return {TRAINED + name: value.detach().contiguous().clone() for name, value in state.items()}


def _equal(one: Encoder, other: Encoder) -> bool:
    ours, theirs = _net(one).state_dict(), _net(other).state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def _net(encoder: Encoder) -> nn.Module:
    assert encoder.net is not None
    return encoder.net
