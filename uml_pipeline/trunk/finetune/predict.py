"""Logits of target samples by a network that learns, and what they are worth."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from uml_pipeline.learn.engine.world import World
from uml_pipeline.trunk.finetune.network import TARGET, SharedHead
from uml_pipeline.trunk.finetune.samples import Rows, Source
from uml_pipeline.workers import chunks, each

_AT_ONCE = 32  # samples


def logits_of(
    model: SharedHead, source: Source, rows: Rows, world: World, *, resting: bool = False
) -> tuple[Tensor, Tensor]:
    """Logits [n, class] and classes [n] of samples, computed by all processes together; on the CPU of each.

    The order is not that of `rows`, but the same in every process.
    """
    logits = torch.zeros(len(rows), model.own, device=world.device)
    y = torch.zeros(len(rows), dtype=torch.long, device=world.device)
    mine = world.share(np.arange(len(rows)))
    for batch in each(lambda places: source.take(rows[places], None), chunks(mine, _AT_ONCE)):
        here, mine = mine[: len(batch.y)], mine[len(batch.y) :]
        batch = batch.to(world.device)
        with torch.inference_mode():
            logits[here] = model({TARGET: batch.prepared}, resting=resting)[TARGET].float()
        y[here] = batch.y
    return world.sum(logits).cpu(), world.sum(y).cpu()


def hits(logits: Tensor, y: Tensor) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Samples of each class that are recognised, and how many there are: [class], [class]."""
    classes, right = logits.shape[1], logits.argmax(1) == y
    return y[right].bincount(minlength=classes).numpy(), y.bincount(minlength=classes).numpy()
