"""An encoder as a network that learns: what a stage of the pipeline runs frozen, here with gradients."""

from typing import Any

import torch
from timm.optim import param_groups_layer_decay
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import Encoder

_FIRST, _NUMBERED = r".*(?:embed|\bwte|\bwpe|feature_)", r"(?:[a-z_]+\.)*(\d+)\."
_CHECKPOINTING = (  # of timm, of transformers, of older transformers
    "set_grad_checkpointing",
    "activation_checkpointing_enable",
    "gradient_checkpointing_enable",
)
Prepared = list[Tensor]
"""Samples as `Encoder.prepare` gives them, those of one shape stacked: [n, *shape] each."""


class Encoding(nn.Module):
    """The vectors of prepared samples, by `Encoder.compute`, with the encoder's network as the only weights."""

    def __init__(self, encoder: Encoder, *, frozen_norms: bool = False) -> None:
        super().__init__()
        assert encoder.net is not None
        self.net = encoder.net
        self.encoder, self._frozen_norms = encoder, frozen_norms
        self.net.requires_grad_(True)

    def forward(self, prepared: Prepared) -> Tensor:
        """[sample, dim], in the order of the stacks."""
        return torch.cat([self.encoder.compute(stack).flatten(1) for stack in prepared])

    def train(self, mode: bool = True) -> "Encoding":
        """Batch normalisation stays as it is, if so told."""
        super().train(mode)
        if self._frozen_norms:
            for part in self.net.modules():
                if isinstance(part, _BatchNorm):
                    part.eval()
        return self

    def groups(self, weight_decay: float, layer_decay: float) -> list[dict[str, Any]]:
        """Parameter groups whose learning rates fall from the last layer to the first."""
        if not hasattr(self.net, "group_matcher"):  # timm's networks name their layers, others number them
            self.net.group_matcher = lambda coarse: {"stem": _FIRST, "blocks": _NUMBERED}  # type: ignore[assignment]
        skip: set[str] = getattr(self.net, "no_weight_decay", set)()
        return param_groups_layer_decay(self.net, weight_decay, skip, layer_decay=layer_decay)

    def recompute(self) -> None:
        """Keep no activations, compute them again (gradient checkpointing).

        Raises:
            UserError: the network cannot.
        """
        switch = next((name for name in _CHECKPOINTING if hasattr(self.net, name)), None)
        try:
            if switch is None:
                raise AssertionError(type(self.net).__name__)
            getattr(self.net, switch)()
        except (AssertionError, ValueError) as error:
            raise UserError(
                f"the network of {self.encoder.name!r} has no gradient checkpointing",
                where=f"trunk.finetune.checkpointing: {error}",
                fix="remove that key; `accumulate` saves memory, too",
            ) from None
