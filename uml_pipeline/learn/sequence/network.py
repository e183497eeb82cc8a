"""All modalities around the shared Transformer: each has its own way in and its own way out (UML, sec. 2.2)."""

from collections.abc import Mapping, Sequence
from typing import cast
from zlib import crc32

import torch
from torch import Tensor, nn

from uml_pipeline.learn.engine.randomness import seeded
from uml_pipeline.learn.sequence.config import NetworkConfig
from uml_pipeline.learn.sequence.losses import Objective, Terms, contrast, square, surprise
from uml_pipeline.learn.sequence.ragged import Ragged
from uml_pipeline.learn.sequence.transformer import Transformer

SHARED, OWN = 1, 2  # streams of random numbers, beside a seed


class Numbers(nn.Module):
    """Steps of numbers: standardised, projected in, and a linear decoder that predicts the next step's."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor, width: int, objective: Objective) -> None:
        """`mean` and `std` [d] of the training steps; a column that never changes stays as it is."""
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", torch.where(std > 0, std, torch.ones_like(std)))
        self.inward, self.decoder = nn.Linear(len(mean), width), nn.Linear(width, len(mean))
        self.term = square if objective == "mse" else contrast

    def truth(self, values: Tensor) -> Tensor:
        """What is to be predicted: [step, d]. A number that is missing is at its mean."""
        return torch.nan_to_num((values - self.mean) / self.std, nan=0.0)

    def forward(self, values: Tensor) -> Tensor:
        """[step, d] -> [step, width]."""
        return self.inward(self.truth(values))


class Tokens(nn.Module):
    """Steps that are tokens: a learnt embedding of each, and logits of the next one."""

    def __init__(self, kinds: int, width: int) -> None:
        super().__init__()
        self.inward, self.decoder = nn.Embedding(kinds, width), nn.Linear(width, kinds)
        self.term = surprise

    def truth(self, values: Tensor) -> Tensor:
        """What is to be predicted: [step]."""
        return values

    def forward(self, values: Tensor) -> Tensor:
        """[step] -> [step, width]."""
        return self.inward(values)


Modality = Numbers | Tokens


class Reader(nn.Module):
    """One modality's way in and the shared Transformer: all that is left of a network that is stripped."""

    def __init__(self, modality: Modality, shared: Transformer) -> None:
        super().__init__()
        self.modality, self.shared = modality, shared

    def forward(self, batch: Ragged) -> Tensor:
        """The Transformer's output at every step: [step of all, width]."""
        return self.shared(self.modality(batch.values), batch)

    def pooled(self, sequences: Sequence[Tensor]) -> Tensor:
        """Mean over each sequence's own steps: [sequence, width]."""
        batch = Ragged.of(sequences).to(next(self.parameters()).device)
        return batch.mean(self(batch).float())


class SharedNetwork(nn.Module):
    """Every modality through one Transformer. The first is served first, so that what it draws at random does not
    depend on the others.
    """

    def __init__(self, modalities: Mapping[str, Modality], shared: Transformer) -> None:
        super().__init__()
        self.modalities = nn.ModuleDict({_key(name): one for name, one in modalities.items()})
        self.names, self.shared = list(modalities), shared

    def forward(self, batches: Mapping[str, Ragged]) -> dict[str, Tensor]:
        """Loss of each sequence, by modality: [sequence]."""
        return {name: self._loss(name, batches[name]) for name in self.names if name in batches}

    def reader(self, name: str) -> Reader:
        """The stripped network of one modality; it shares its weights with this one."""
        return Reader(cast(Modality, self.modalities[_key(name)]), self.shared)

    def _loss(self, name: str, batch: Ragged) -> Tensor:
        reader, terms = self.reader(name), Terms.of(batch)
        modality = reader.modality
        guess = modality.decoder(reader(batch)[terms.here])
        return terms.mean(modality.term(guess, modality.truth(batch.values)[terms.there]))


def transformer(config: NetworkConfig, seed: int) -> Transformer:
    """The shared module before training, whatever modalities there are."""
    with seeded(seed, SHARED):
        return Transformer(config)


def numbers(
    name: str, sequences: Sequence[Tensor], config: NetworkConfig, seed: int, objective: Objective = "mse"
) -> Numbers:
    """The modality `name` of these training sequences [step, d], before training."""
    steps = torch.cat(list(sequences)).double()
    mean = steps.nanmean(0)
    std = (steps - mean).square().nanmean(0).sqrt()
    with seeded(seed, OWN, crc32(name.encode())):
        return Numbers(mean.nan_to_num().float(), std.nan_to_num().float(), config.width, objective)


def tokens(name: str, kinds: int, config: NetworkConfig, seed: int) -> Tokens:
    """The modality `name` of so many kinds of tokens, before training."""
    with seeded(seed, OWN, crc32(name.encode())):
        return Tokens(kinds, config.width)


def _key(name: str) -> str:
    """A name that no container of torch has as a method."""
    return f"of_{name}"
