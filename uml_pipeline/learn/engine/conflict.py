"""Do modalities pull the shared weights the same way? Cosines between the gradients of their losses."""

from collections.abc import Mapping
from itertools import combinations

import torch
from torch import Tensor

from uml_pipeline.learn.engine.world import World


def cosines(losses: Mapping[str, Tensor], shared: Tensor, world: World, runs: int = 1) -> list[dict[str, float]]:
    """Of each run the cosine between the gradients of every two losses on `shared`, by `a|b`: 1 they agree, -1 they
    fight. Several runs have losses [run] and `shared` [run, ...].

    A loss that does not reach `shared`, or whose gradient is zero, has no direction: its cosines are 0. Gradients are
    summed over the processes first, so that the figure is that of the global batch.
    """
    slopes = {name: _slope(loss, shared, world).view(runs, -1) for name, loss in losses.items()}
    return [
        {
            f"{one}|{other}": float(torch.nn.functional.cosine_similarity(slopes[one][run], slopes[other][run], 0))
            for one, other in combinations(slopes, 2)
        }
        for run in range(runs)
    ]


def _slope(loss: Tensor, shared: Tensor, world: World) -> Tensor:
    (slope,) = torch.autograd.grad(loss.sum(), shared, retain_graph=True, allow_unused=True)
    return world.sum(torch.zeros_like(shared) if slope is None else slope).flatten().float()
