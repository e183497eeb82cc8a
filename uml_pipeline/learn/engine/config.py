"""What every kind of gradient training can be told: length, optimiser, precision, and how often it is looked at."""

from typing import Literal

from pydantic import Field, PositiveInt

from uml_pipeline.config import Config


class EngineConfig(Config):
    """The training engine. The defaults suit a small network on two CPU cores."""

    steps: PositiveInt = 300
    """Optimiser steps at most; the learning rate's cosine ends there."""
    warm_up: int = Field(default=20, ge=0)
    """Steps over which the learning rate rises from zero."""
    learning_rate: float = Field(default=1e-3, gt=0)
    """Of AdamW, at the end of the warm-up."""
    weight_decay: float = Field(default=0.05, ge=0)
    """Of matrices; biases, norms and scales are not decayed."""
    clip: float | None = Field(default=None, gt=0)
    """Largest norm of the gradient; absent: it is not clipped."""
    ema: float | None = Field(default=None, gt=0, lt=1)
    """Decay of an exponential moving average of the weights, which is then judged and kept instead of them."""
    accumulate: PositiveInt = 1
    """Parts that a batch is computed in, one after the other: less memory, the same step."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the network's arithmetic (torch.autocast); weights and optimiser stay float32."""
    checkpointing: bool = False
    """Compute activations a second time instead of keeping them: less memory, about a third more time."""
    compile: bool = False
    """Compile the network first (torch.compile)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto`: the GPU where there is one."""
    look_every: PositiveInt = 20
    """Steps between looks at the validation samples."""
    patience: PositiveInt = 5
    """Looks without improvement after which training stops; the best weights are kept."""
    save_every: PositiveInt = 50
    """Steps between checkpoints: what a kill can cost."""
    processes: PositiveInt = 1
    """That train together on this machine (torchrun): GPUs, or groups of CPU cores."""
    launcher: Literal["torchrun", "ray"] = "torchrun"
    """What starts the processes, where there are several; `ray`: Ray Train, on the cluster that it finds."""
