"""`relevance` of params.yaml."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from uml_pipeline.config import Config


class RelevanceConfig(Config):
    """When a silo counts as a help, and what happens where it does not."""

    policy: Literal["exclude", "block", "warn"] = "exclude"
    """A silo that harms, or surely gives nothing, is left out of training, stops the pipeline, or causes a warning."""
    by: Literal["labels", "sequences"] = "labels"
    """What a silo is tried on: its labelled samples; or its sequences, as mode ssl learns from them. One without labels
    is tried on its sequences in any case."""
    suspicious: Literal["keep", "drop"] = "keep"
    """Samples of a silo whose label or text looks wrong: learnt from all the same, or set aside."""
    permutations: int = Field(default=999, ge=99)
    """Class permutations behind each p-value of the class geometry; the smallest possible p is
    1 / (permutations + 1)."""
    alpha: float = Field(default=0.02, gt=0, lt=1)
    """How often a silo that says nothing may be found to help, over all silos of a study."""
    shots: PositiveInt = 1
    """Labelled target samples a class for which the gain is predicted."""
    margin: PositiveFloat = 1.0
    """Points of accuracy that are worth having: a silo that surely gives less is neutral."""
