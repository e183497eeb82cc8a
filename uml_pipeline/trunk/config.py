"""`trunk` of params.yaml."""

from typing import Any, Literal

from pydantic import Field, PositiveInt, model_validator

from uml_pipeline.config import Config
from uml_pipeline.trunk.finetune.config import FinetuneConfig
from uml_pipeline.trunk.grid import Grid

_FEWER: dict[str, Any] = {"shots": [4], "seeds": 3}
"""Defaults of fine-tuning: a training there takes minutes, a probe's takes seconds."""


class TrunkConfig(Config):
    """How to learn. The defaults are the recommended values."""

    mode: Literal["probe", "finetune"] = "probe"
    """`probe`: frozen encoders, a shared linear trunk. `finetune`: the target's encoder learns, too."""
    shots: list[PositiveInt] = Field(default=[1, 2, 4], min_length=1)
    """Labelled target samples a class; scarcity is simulated, what ships is refit on all of them. Mode finetune: [4]
    where absent."""
    seeds: int = Field(default=20, ge=2)
    """How many splits (and with them draws, initialisations and batch orders) are averaged. Mode finetune: 3 where
    absent."""
    forced: list[str] = Field(default_factory=list)
    """Auxiliary silos that get an arm of their own whatever their verdict: a control, never shipped."""
    grid: Grid = Grid()
    """What gradient arms search, in mode probe."""
    finetune: FinetuneConfig = FinetuneConfig()
    """How to fine-tune, in that mode."""

    @model_validator(mode="before")
    @classmethod
    def _fewer(cls, values: Any) -> Any:
        return _FEWER | values if isinstance(values, dict) and values.get("mode") == "finetune" else values
