"""What the steps of a sample's sequence are: what its encoder is given, what the frozen network makes of it, or one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import Encoder
from uml_pipeline.samples import Sample
from uml_pipeline.workers import chunks, each

if TYPE_CHECKING:
    from torch import Tensor

    from uml_pipeline.features.runtime import Runtime

Steps = Literal["raw", "frozen", "vector"]
"""Patches, tokens, frames, as the encoder is given them; its network's own vectors of them; the sample's vector."""


def default(encoder: Encoder) -> Steps:
    """What the steps are if nobody says."""
    return "raw" if encoder.sequential else "vector"


def require(encoder: Encoder, steps: Steps) -> None:
    """Refuse steps that an encoder does not give.

    Raises:
        UserError: it does not, and what it does give.
    """
    given: dict[Steps, bool] = {"raw": encoder.sequential, "frozen": encoder.stepwise, "vector": True}
    if not given[steps]:
        fix = f"use one of: {', '.join(name for name, can in given.items() if can)}"
        raise UserError(f"encoder {encoder.name!r} gives no {steps} steps", where="trunk.ssl.inputs", fix=fix)


def sequences(
    encoder: Encoder, samples: Sequence[Sample], steps: Steps, longest: int, runtime: "Runtime | None" = None
) -> "list[Tensor]":
    """Samples as sequences of at most `longest` steps: float [step, d], or tokens [step]. What is
    longer is cut; the frozen grid of an image is averaged down instead, since its first rows are not the image.

    Raises:
        UserError: the encoder gives no such steps, or a sample cannot be read.
    """
    import torch

    from uml_pipeline.features.extract import batches

    require(encoder, steps)
    if steps == "raw":
        parts = each(
            lambda places: encoder.sequences([samples[place] for place in places]),
            chunks(range(len(samples)), encoder.chunk),
        )
        return [one[:longest].clone() for part in parts for one in part]
    if steps == "vector":
        return list(torch.from_numpy(encoder.encode(samples))[:, None])
    found: dict[int, Tensor] = {}
    for indices, batch in batches(encoder, samples, runtime, lambda prepared: encoder.states(prepared, longest)):
        found.update(zip(indices, torch.from_numpy(batch), strict=True))
    return [found[place] for place in range(len(samples))]
