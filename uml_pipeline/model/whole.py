"""A shipped model as one network: from what its encoder has prepared to probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import Encoder
from uml_pipeline.model.unimodal import UnimodalModel
from uml_pipeline.samples import Sample

_TINY = float(np.finfo(np.float32).tiny)


class Pixels(nn.Module):
    """Prepared images [image, 3, height, width] to vectors, normalised inside."""

    names = ("images",)

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.net, self._compute = encoder.net, encoder.compute

    def forward(self, images: Tensor) -> Tensor:
        """[image, dim]."""
        return self._compute(images).flatten(1)

    @staticmethod
    def stack(prepared: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The inputs for a batch."""
        if len({one.shape for one in prepared}) > 1:
            fix = "use an encoder whose images all have one size"
            raise UserError("the encoder prepares images of several sizes", where="one graph takes one", fix=fix)
        return (torch.stack(list(prepared)),)


class Words(nn.Module):
    """Token ids [text, token] and which of them are there, to vectors. Texts of several lengths may be padded."""

    names = ("input_ids", "attention_mask")

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.net, self._pooling = encoder.net, encoder.pooling

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """[text, dim]."""
        hidden = self.net(input_ids=ids, attention_mask=mask).last_hidden_state
        if self._pooling == "cls":
            return hidden[:, 0]
        if self._pooling == "last":
            return hidden[torch.arange(len(ids)), mask.sum(1) - 1]
        there = mask[..., None].to(hidden.dtype)
        return (hidden * there).sum(1) / there.sum(1)

    @staticmethod
    def stack(prepared: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The inputs for a batch."""
        ones = [torch.ones_like(one) for one in prepared]
        return pad_sequence(list(prepared), batch_first=True), pad_sequence(ones, batch_first=True)


class Vectors(nn.Module):
    """The encoder's vectors as they are: it has no network."""

    names = ("features",)

    def forward(self, features: Tensor) -> Tensor:
        """[sample, dim]."""
        return features.float()

    @staticmethod
    def stack(prepared: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The inputs for a batch."""
        return (torch.stack(list(prepared)),)


class Whole(nn.Module):
    """The way in, the standardisation, the linear map and softmax."""

    centre: Tensor | None

    def __init__(self, model: UnimodalModel) -> None:
        """Raises UserError where the model's way in is none of these."""
        super().__init__()
        self.encoder = model.encoder
        self.way_in = _way_in(model)
        self.register_buffer("weight", torch.from_numpy(model.weight))  # [class, d]
        self.register_buffer("centre", None if model.centre is None else torch.from_numpy(model.centre))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the inputs."""
        return self.way_in.names

    def inputs(self, samples: Sequence[Sample]) -> tuple[Tensor, ...]:
        """What `forward` takes for a batch of samples.

        Raises:
            UserError: a sample cannot be read, or all of them do not fit into one batch.
        """
        with torch.no_grad():
            return self.way_in.stack(self.encoder.prepare(samples))

    def forward(self, *inputs: Tensor) -> Tensor:
        """Probabilities: [sample, class]."""
        z = self.way_in(*inputs)
        if self.centre is not None:
            z = _unit(_unit(z) - self.centre)
        return torch.softmax(z @ self.weight.T, 1)


def _unit(x: Tensor) -> Tensor:
    return x / torch.linalg.vector_norm(x, dim=1, keepdim=True).clamp(min=_TINY)


def _way_in(model: UnimodalModel) -> Pixels | Words | Vectors:
    if "reader" in model.config:
        raise _refused("a reader of sequences (mode ssl)", model)
    if model.encoder.net is None:
        return Vectors()
    if model.modality == "image":
        return Pixels(model.encoder)
    if model.modality == "text":
        return Words(model.encoder)
    raise _refused(f"a network that reads {model.modality}", model)


def _refused(what: str, model: UnimodalModel) -> UserError:
    fix = "use the model as it is: `uml_pipeline.model.UnimodalModel.load`"
    return UserError(f"{what} cannot be exported", where=f"encoder: {model.encoder.name}", fix=fix)
