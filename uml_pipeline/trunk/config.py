"""`trunk` of params.yaml."""

from typing import Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from uml_pipeline.config import Config
from uml_pipeline.trunk.finetune.config import FinetuneConfig
from uml_pipeline.trunk.grid import Grid
from uml_pipeline.trunk.ssl.config import SslConfig

_FEWER: dict[str, dict[str, Any]] = {"finetune": {"shots": [4], "seeds": 3}, "ssl": {"shots": [4, 16], "seeds": 5}}
"""Defaults of gradient modes: a training there takes minutes, a probe's takes seconds."""


class ExchangeConfig(Config):
    """How it is measured what auxiliary samples are worth, in mode probe."""

    splits: NonNegativeInt = 6
    """On how many splits, each with auxiliary samples of its own draw, at every number of shots; 0: not at all."""
    auxiliary: list[PositiveInt] = Field(default=[1, 3], min_length=1)
    """Auxiliary samples a class. None, and all that there are, are tried besides."""


class TrunkConfig(Config):
    """How to learn. The defaults are the recommended values."""

    mode: Literal["probe", "finetune", "ssl"] = "probe"
    """`probe`: frozen encoders, a shared linear trunk. `finetune`: the target's encoder learns, too. `ssl`:
    a shared Transformer learns from sequences without labels, then a probe reads it."""
    shots: list[PositiveInt] = Field(default=[1, 2, 4], min_length=1)
    """Labelled target samples a class; scarcity is simulated, what ships is refit on all of them. Where absent, in
    mode finetune [4], in mode ssl [4, 16]."""
    seeds: int = Field(default=20, ge=2)
    """How many splits (and with them draws, initialisations and batch orders) are averaged. Where absent, in mode
    finetune 3, in mode ssl 5."""
    forced: list[str] = Field(default_factory=list)
    """Auxiliary silos that get an arm of their own whatever their verdict: a control, never shipped."""
    grid: Grid = Grid()
    """What gradient arms search, in mode probe."""
    exchange: ExchangeConfig = ExchangeConfig()
    """Accuracy over a grid of target and auxiliary samples, in mode probe."""
    finetune: FinetuneConfig = FinetuneConfig()
    """How to fine-tune, in that mode."""
    ssl: SslConfig = SslConfig()
    """How to learn without labels, in that mode."""

    @model_validator(mode="before")
    @classmethod
    def _fewer(cls, values: Any) -> Any:
        return _FEWER.get(str(values.get("mode")), {}) | values if isinstance(values, dict) else values
