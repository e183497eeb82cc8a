"""All modalities around the shared Transformer: each has its own way in and its own way out (UML, sec. 2.2). Networks
of one shape may be stacked (`stack`): they then learn at once, each from its own batches.
"""

from collections.abc import Mapping, Sequence
from typing import cast
from zlib import crc32

import torch
from torch import Tensor, nn

from uml_pipeline.learn.engine.randomness import seeded
from uml_pipeline.learn.sequence.config import NetworkConfig
from uml_pipeline.learn.sequence.dropout import Masks
from uml_pipeline.learn.sequence.losses import Objective, Term, Terms, contrast, square, surprise
from uml_pipeline.learn.sequence.ragged import Ragged
from uml_pipeline.learn.sequence.reader import Entrance, Numbers, Reader, Tokens
from uml_pipeline.learn.sequence.stacked import Linear
from uml_pipeline.learn.sequence.transformer import Transformer

SHARED, OWN = 1, 2  # streams of random numbers, beside a seed


class Modality(nn.Module):
    """A modality's own: its way in, and a linear decoder that predicts its next step."""

    def __init__(self, entrance: Entrance, decoder: Linear, term: Term) -> None:
        super().__init__()
        self.entrance, self.decoder, self.term = entrance, decoder, term


class SharedNetwork(nn.Module):
    """Every modality through one Transformer. The first is served first, so that what it draws at random does not
    depend on the others.
    """

    def __init__(self, modalities: Mapping[str, Modality], shared: Transformer) -> None:
        super().__init__()
        self.modalities = nn.ModuleDict({_key(name): one for name, one in modalities.items()})
        self.names, self.shared = list(modalities), shared

    def forward(self, batches: Mapping[str, Ragged], masks: Mapping[str, Masks] | None = None) -> dict[str, Tensor]:
        """Loss of each sequence, by modality: [run, sequence], 0 where a run has no such sequence. Without masks
        nothing is dropped.
        """
        return {
            name: self.read(name, batches[name], (masks or {}).get(name))[0] for name in self.names if name in batches
        }

    def read(self, name: str, batch: Ragged, masks: Masks | None = None) -> tuple[Tensor, Tensor]:
        """Loss of each sequence of one modality [run, sequence], and the output at every step [run, step, width]."""
        modality, terms = self.modality(name), Terms.of(batch)
        truth = modality.entrance.truth(batch.values)
        z = self.shared(modality.entrance(truth), batch, masks)
        return terms.mean(modality.term(modality.decoder(z), terms.next(truth), terms.asked)), z

    def modality(self, name: str) -> Modality:
        """One of them."""
        return cast(Modality, self.modalities[_key(name)])

    def reader(self, name: str) -> Reader:
        """The stripped network of one modality; it shares its weights with this one."""
        return Reader(self.modality(name).entrance, self.shared)


def shape(modalities: Mapping[str, Modality]) -> tuple[object, ...]:
    """Networks of the same NetworkConfig, and of modalities of one shape, can be stacked."""
    return tuple((name, one.entrance.shape) for name, one in modalities.items())


def transformer(config: NetworkConfig, seed: int) -> Transformer:
    """The shared module before training, whatever modalities there are."""
    with seeded(seed, SHARED):
        return Transformer(config)


def modality(
    name: str, sequences: Sequence[Tensor], config: NetworkConfig, seed: int, objective: Objective = "mse"
) -> Modality:
    """The modality `name` before training, of these training sequences: of numbers [step, d] (`objective` is theirs),
    or of tokens [step].
    """
    steps = torch.cat(list(sequences))
    with seeded(seed, OWN, crc32(name.encode())):
        if not steps.is_floating_point():
            entrance = Tokens(steps.unique(), config.width)
            return Modality(entrance, Linear(config.width, entrance.shape[1] + 1), surprise)
        mean = steps.double().nanmean(0)
        std = (steps - mean).square().nanmean(0).sqrt()
        known = Numbers(mean.nan_to_num().float(), std.nan_to_num().float(), config.width)
        term = square if objective == "mse" else contrast
        return Modality(known, Linear(config.width, len(mean)), term)


def _key(name: str) -> str:
    """A name that no container of torch has as a method."""
    return f"of_{name}"
