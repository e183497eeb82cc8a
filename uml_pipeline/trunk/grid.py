"""`trunk.grid` of params.yaml: what the gradient arms of mode probe search, and how long they train."""

import math
from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, field_validator

from uml_pipeline.config import Config


class Grid(Config):
    """Every arm tries all combinations; the log-loss on the validation samples picks one, and the length of training.

    The defaults were settled on tinyimagenet40: no other set's test samples had a say in them (docs/results.md).
    """

    rates: list[PositiveFloat] = Field(default=[], max_length=9)
    """Learning rates. None given: 0.001 and 0.003 behind a projection, else 0.003 and 0.01."""
    decays: list[NonNegativeFloat] = Field(default=[0.0], min_length=1)
    """AdamW's weight decay."""
    batches: list[PositiveInt] = Field(default=[64], min_length=1)
    """Samples a step and modality."""
    scales: list[PositiveFloat] = Field(default=[10.0, 20.0], min_length=1)
    """Logit scales at the start. Arms with a joint loss take the first, and search its weight instead: so all arms try
    as many settings, as long as there are as many weights as scales."""
    start_scale: PositiveFloat = 10.0
    """Logit scale of the arm that starts from the closed form. 3 was tried: studies/defaults."""
    learn_scales: list[bool] = Field(default=[False], min_length=1)
    """Whether each modality's logit scale is learnt."""
    alphas: list[PositiveFloat] = Field(default=[0.3, 1.0], min_length=1)
    """Weights of the joint loss's auxiliary part."""
    shots: list[Literal["all", "average"] | PositiveInt] = Field(default=["all"], min_length=1)
    """Auxiliary samples a class: all of them, their average as one sample, or so many drawn at random."""
    ratios: list[PositiveFloat] = Field(default=[1.0], min_length=1)
    """Auxiliary batches for one of the target: a whole number, or one over a whole number."""
    steps: PositiveInt = 200
    """At most."""
    look_every: PositiveInt = 10
    """Steps between looks at the validation samples."""
    patience: PositiveInt = 4
    """Looks without improvement before a run stops."""
    warm_up: PositiveInt = 10
    """Steps over which the learning rate rises; then a cosine."""

    @field_validator("ratios")
    @classmethod
    def _whole(cls, ratios: list[float]) -> list[float]:
        for ratio in ratios:
            if not math.isclose(max(ratio, 1 / ratio), round(max(ratio, 1 / ratio))):
                raise ValueError(f"{ratio} is neither a whole number nor one over a whole number")
        return ratios
