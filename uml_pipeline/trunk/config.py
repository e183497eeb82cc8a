"""`trunk` of params.yaml."""

from typing import Literal

from pydantic import Field, PositiveInt

from uml_pipeline.config import Config


class TrunkConfig(Config):
    """How to learn. The defaults are the recommended values."""

    mode: Literal["probe"] = "probe"
    """`probe`: frozen encoders, a shared linear trunk."""
    shots: list[PositiveInt] = Field(default=[1, 2, 4], min_length=1)
    """Labelled target samples a class; scarcity is simulated, what ships is refit on all of them."""
    seeds: int = Field(default=20, ge=2)
    """How many splits (and with them draws, initialisations and batch orders) are averaged."""
    forced: list[str] = Field(default_factory=list)
    """Auxiliary silos that get an arm of their own whatever their verdict: a control, never shipped."""
