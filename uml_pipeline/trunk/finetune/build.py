"""An arm's network on a study's inputs: where it starts, and where each modality's samples come from."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from uml_pipeline.learn.engine.randomness import seeded
from uml_pipeline.learn.geometry import Array, centre_of
from uml_pipeline.trunk.finetune.arms import Arm
from uml_pipeline.trunk.finetune.config import FinetuneConfig
from uml_pipeline.trunk.finetune.encoding import Encoding
from uml_pipeline.trunk.finetune.inputs import Auxiliary, Inputs
from uml_pipeline.trunk.finetune.network import Branch, SharedHead, Standard
from uml_pipeline.trunk.finetune.samples import Raw, Rows, Source, Vectors

SCALE = 10.0  # turns cosines into logits
NETWORK, ADAPTER = 5, 6  # streams of random numbers, beside a run's seed


@dataclass(frozen=True)
class Built:
    """A network before training, and the sources of all modalities that it learns from."""

    model: SharedHead
    target: Raw
    resting: Vectors  # the target by its frozen encoder
    silos: dict[str, Source]


def build(inputs: Inputs, arm: Arm, config: FinetuneConfig, seed: int, train: Rows) -> Built:
    """The arm's network; the same seed gives the arms with the same projection the same random start. The target's
    centre is that of its `train` rows.

    Raises:
        UserError: an encoder cannot be had, has no network, or cannot do what the configuration asks.
    """
    encoder = inputs.encoder(inputs.study.target)
    encoding = _learning(Encoding(encoder, frozen_norms=config.batch_norm == "frozen"), config)
    read = [inputs.auxiliary(name) for name in arm.silos]
    space, width = _head_space(inputs, read, encoder.dim) if arm.projected else (inputs.space, encoder.dim)
    learnt = read if arm.learns else []
    sources = {silo.name: _source(inputs, silo, encoding, config) for silo in learnt}
    with seeded(seed, NETWORK):
        model = SharedHead(
            encoding,
            width,
            len(inputs.union),
            own=len(inputs.classes),
            projected=space != inputs.space,
            standard=_standard(inputs.x[train], config),
            scale=SCALE if config.standardise else 1.0,
            silos={one.name: _branch(inputs, one, sources[one.name], space, width, seed, config) for one in learnt},
            learnable_scales=config.learnable_scales,
            uncertainty=config.balance == "uncertainty",
        )
    if arm.init:
        near = [silo for silo in read if silo.space == space]
        start_at_means(model.head, [(_seen(silo.x, config), silo.y) for silo in near])
    y = torch.from_numpy(inputs.y)
    target, resting = Raw(inputs.samples, y, encoder, config.augment), Vectors(torch.from_numpy(inputs.x), y)
    return Built(model, target, resting, sources)


def start_at_means(head: nn.Linear, silos: Sequence[tuple[Tensor, Rows]]) -> None:
    """UML(init), UML, sec. 1.3: each row is the unit mean of its class's embeddings, as the head sees them. A class
    without any keeps its random row, scaled to unit length.
    """
    with torch.no_grad():
        sums = torch.zeros_like(head.weight)  # [class, width]
        for x, y in silos:
            sums.index_add_(0, torch.from_numpy(y), x)
        silent = sums.abs().sum(1, keepdim=True) == 0
        head.weight.copy_(normalize(torch.where(silent, head.weight, sums), dim=1))


def _head_space(inputs: Inputs, silos: Sequence[Auxiliary], dim: int) -> tuple[str, int]:
    """Where the head lies: in the space of the first silo that is not in the target's own, else in the target's."""
    for silo in silos:
        if silo.space != inputs.space:
            return silo.space, silo.x.shape[1]
    return inputs.space, dim


def _source(inputs: Inputs, silo: Auxiliary, target: Encoding, config: FinetuneConfig) -> Source:
    own = torch.from_numpy(np.searchsorted(np.unique(silo.y), silo.y))  # its classes, numbered by themselves
    if silo.name not in config.trainable:
        return Vectors(torch.from_numpy(np.ascontiguousarray(silo.x)), own)
    shared = silo.fingerprint == inputs.fingerprint
    return Raw(silo.samples, own, target.encoder if shared else inputs.encoder(silo.name))


def _branch(
    inputs: Inputs, silo: Auxiliary, source: Source, space: str, width: int, seed: int, config: FinetuneConfig
) -> Branch:
    known, adapter, encoder = np.unique(silo.y), None, None
    if silo.space not in (space, inputs.space):
        with seeded(seed, ADAPTER, zlib.crc32(silo.name.encode())):
            adapter = nn.Linear(silo.x.shape[1], width, bias=False)
    shared = isinstance(source, Raw) and silo.fingerprint == inputs.fingerprint
    if isinstance(source, Raw) and not shared:
        encoder = _learning(Encoding(source.encoder), config)
    return Branch(
        known=None if len(known) == len(inputs.union) else torch.from_numpy(known),
        encoder=encoder,
        standard=_standard(silo.x, config),
        adapter=adapter,
        bridge=silo.space == inputs.space != space,
        through_target=shared,
    )


def _standard(x: Array, config: FinetuneConfig) -> Standard | None:
    """By the centre of these vectors [n, dim]."""
    return Standard(torch.from_numpy(centre_of(x))) if config.standardise else None


def _seen(x: Array, config: FinetuneConfig) -> Tensor:
    """Vectors as they come before projection or head."""
    plain = torch.from_numpy(np.ascontiguousarray(x))
    standard = _standard(x, config)
    return standard(plain) if standard else plain


def _learning(encoding: Encoding, config: FinetuneConfig) -> Encoding:
    if config.checkpointing:
        encoding.recompute()
    return encoding
