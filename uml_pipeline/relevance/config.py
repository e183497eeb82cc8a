"""`relevance` of params.yaml."""

from typing import Literal

from pydantic import Field

from uml_pipeline.config import Config


class RelevanceConfig(Config):
    """When a silo counts as being about the same world, and what happens where it does not."""

    policy: Literal["exclude", "block", "warn"] = "exclude"
    """A silo found irrelevant is left out of training, stops the pipeline, or only causes a warning."""
    permutations: int = Field(default=999, ge=99)
    """Class permutations behind each p-value; the smallest possible p is 1 / (permutations + 1)."""
    alpha: float = Field(default=0.05, gt=0, lt=1)
    """A silo whose p-value is not below this is not relevant."""
