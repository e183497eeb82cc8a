"""The shape of the shared Transformer, in params.yaml, and what its weights are called."""

from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from uml_pipeline.config import Config

READER = "reader."
"""Begins the names of a reader's weights, where they stand among other tensors."""


class NetworkConfig(Config):
    """The defaults suit two CPU cores. The paper's code has `width` 20 to 300, 5 layers, 5 heads and `hidden` 2048."""

    width: PositiveInt = 64
    """Numbers that every modality is projected to."""
    layers: PositiveInt = 2
    """Transformer blocks."""
    heads: PositiveInt = 4
    """Attention heads; they divide the width."""
    hidden: PositiveInt = 256
    """Width between the two layers of each block's perceptron."""
    norm: Literal["post", "pre"] = "post"
    """Where each block normalises: after its sums, as the paper's code does; or before attention and perceptron, and
    once at the end."""
    positions: Literal["none", "sinusoidal", "learned"] = "sinusoidal"
    """What tells a step its place."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Of attention weights and of what each block adds."""
    longest: PositiveInt = 50
    """Steps at which sequences are cut."""

    @model_validator(mode="after")
    def _divided(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"{self.heads} heads do not divide a width of {self.width}")
        return self
