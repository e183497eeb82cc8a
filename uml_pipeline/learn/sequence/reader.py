"""What is left of a network that is stripped: a modality's way in, the shared Transformer, the mean over steps. As all
layers here it may hold several runs, one behind the other.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from uml_pipeline.learn.geometry import Array
from uml_pipeline.learn.sequence.config import NetworkConfig
from uml_pipeline.learn.sequence.ragged import Ragged
from uml_pipeline.learn.sequence.stacked import Embedding, Linear
from uml_pipeline.learn.sequence.transformer import Transformer
from uml_pipeline.workers import chunks

_AT_ONCE = 64  # sequences


class Numbers(nn.Module):
    """The way in of steps of numbers: standardised, then projected."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor, width: int) -> None:
        """`mean` and `std` [d] of the training steps; a column that never changes stays as it is."""
        super().__init__()
        self.register_buffer("mean", mean[None])  # [run, d]
        self.register_buffer("std", torch.where(std > 0, std, torch.ones_like(std))[None])
        self.inward = Linear(len(mean), width)

    @property
    def shape(self) -> tuple[str, int]:
        """Ways in of one shape can be stacked."""
        return "numbers", self.mean.shape[1]

    def truth(self, values: Tensor) -> Tensor:
        """What is to be predicted: [run, step, d]. A number that is missing is at its mean."""
        return torch.nan_to_num((values - self.mean[:, None]) / self.std[:, None], nan=0.0)

    def plain(self, values: Tensor) -> Tensor:
        """The steps themselves: [run, step, d]."""
        return self.truth(values)

    def forward(self, truth: Tensor) -> Tensor:
        """From what `truth` gave: [run, step, d] -> [run, step, width]."""
        return self.inward(truth)


class Tokens(nn.Module):
    """The way in of steps that are tokens: an embedding of each token that the training has, and one of all others."""

    known: Tensor

    def __init__(self, known: Tensor, width: int) -> None:
        """`known` tokens, in ascending order."""
        super().__init__()
        self.register_buffer("known", known[None])  # [run, token]
        self.inward = Embedding(len(known) + 1, width)

    @property
    def shape(self) -> tuple[str, int]:
        """Ways in of one shape can be stacked."""
        return "tokens", self.known.shape[1]

    def truth(self, values: Tensor) -> Tensor:
        """What is to be predicted: the token's number [run, step], 0 of one that is not known."""
        at = torch.searchsorted(self.known, values.contiguous()).clamp(max=self.known.shape[1] - 1)
        return torch.where(self.known.gather(1, at) == values, at + 1, torch.zeros_like(at))

    def plain(self, values: Tensor) -> Tensor:
        """The steps themselves, one-hot: [run, step, token]."""
        return one_hot(self.truth(values), self.known.shape[1] + 1).float()

    def forward(self, truth: Tensor) -> Tensor:
        """From what `truth` gave: [run, step] -> [run, step, width]."""
        return self.inward(truth)


Entrance = Numbers | Tokens


class Reader(nn.Module):
    """Sequences to representations. Without a Transformer, the mean of the steps: nothing is learnt."""

    def __init__(self, entrance: Entrance, shared: Transformer | None) -> None:
        super().__init__()
        self.entrance, self.shared = entrance, shared

    def forward(self, batch: Ragged) -> Tensor:
        """Output at every step: [run, step, width]."""
        if self.shared is None:
            return self.entrance.plain(batch.values)
        return self.shared(self.entrance(self.entrance.truth(batch.values)), batch)

    def pooled(self, batch: Ragged) -> Tensor:
        """Mean over each sequence's own steps: [run, sequence, width]."""
        return batch.mean(self(batch).float())


def represent(reader: Reader, sequences: Sequence[Tensor], device: torch.device | None = None) -> Array:
    """One run's representations of sequences of any length: [sequence, width]."""
    device = device or torch.device("cpu")
    reader.to(device).eval()
    with torch.inference_mode():
        batches = (Ragged.of([some]).to(device) for some in chunks(sequences, _AT_ONCE))
        return np.concatenate([reader.pooled(batch)[0].cpu().numpy() for batch in batches])


def describe(reader: Reader, config: NetworkConfig) -> dict[str, Any]:
    """All that `reopen` needs besides the weights, as JSON."""
    tokens = isinstance(reader.entrance, Tokens)
    return {"network": config.model_dump(mode="json"), "shared": reader.shared is not None, "tokens": tokens}


def reopen(description: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Reader:
    """The reader that was described, with its weights."""
    config = NetworkConfig(**description["network"])
    entrance: Entrance
    if description["tokens"]:
        entrance = Tokens(weights["entrance.known"][0], config.width)
    else:
        entrance = Numbers(weights["entrance.mean"][0], weights["entrance.std"][0], config.width)
    reader = Reader(entrance, Transformer(config) if description["shared"] else None)
    reader.load_state_dict(dict(weights))
    return reader.eval()
