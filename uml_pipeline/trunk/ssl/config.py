"""`trunk.ssl` of params.yaml."""

from typing import Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from uml_pipeline.features.steps import Steps
from uml_pipeline.learn.engine.config import EngineConfig
from uml_pipeline.learn.sequence.config import NetworkConfig


class SslConfig(EngineConfig):
    """How the shared Transformer learns. The defaults suit two CPU cores."""

    steps: PositiveInt = 600
    """See EngineConfig. More than there: with 300 the loss on validation sequences would have fallen further."""
    learning_rate: float = Field(default=3e-3, gt=0)
    """See EngineConfig. On sounds, spoken digits and photos 1e-3 has a higher validation loss, and 1e-2 no better probe
    (docs/self-supervised.md)."""
    network: NetworkConfig = NetworkConfig()
    """Its shape."""
    objective: Literal["mse", "infonce"] = "mse"
    """Of steps that are numbers. `mse`: the next one's value. `infonce`: which of the batch's steps it is. Tokens have
    cross-entropy."""
    inputs: dict[str, Steps] = Field(default_factory=dict)
    """Of single silos, the target too: what the steps of a sample are. `raw`: patches, tokens, frames, as its encoder
    is given them. `frozen`: what the encoder's network makes of them, patch by patch, or a token's embedding.
    `vector`: the sample's vector, one step. Absent: `raw`; of encoders without steps, `vector`."""
    batch: PositiveInt = 32
    """Target sequences a step."""
    auxiliary_batch: PositiveInt = 32
    """Sequences of each auxiliary silo a batch."""
    alphas: list[PositiveFloat] = Field(default=[1.0], min_length=1, max_length=5)
    """Weights of the auxiliary losses, against 1 of the target's; validation picks one. The arm without auxiliary
    silos picks among as many learning rates."""
    weights: dict[str, PositiveFloat] = Field(default_factory=dict)
    """Of single silos, times alpha; absent: 1."""
    ratios: dict[str, PositiveFloat] = Field(default_factory=dict)
    """Batches of single silos for one of the target; absent: 1."""
    first: Literal["target", "auxiliary"] = "target"
    """Who learns alone at first: the target, as the paper's text has it, or the auxiliary silos, as its code does."""
    first_steps: NonNegativeInt = 0
    """For how many steps exactly, of the `steps` there are; 0: all learn from the start."""
    keep: Literal["last", "best"] = "last"
    """Which weights are probed: those after the last step, as the paper does (nothing stops training then); or those
    of the look with the lowest loss on the validation side's target sequences."""

    @model_validator(mode="after")
    def _joint_at_last(self) -> Self:
        if self.first_steps >= self.steps:
            raise ValueError(f"of {self.steps} `steps` none is left after {self.first_steps} `first_steps`")
        return self
