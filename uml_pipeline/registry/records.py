"""What the registry keeps of every decision, and what a released model is."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Outcome = Literal["promoted", "refused", "unchanged", "rolled back"]
Ground = Literal["gate", "cross-validation", "nothing"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gain(_Record):
    """Challenger's accuracy minus champion's on the same samples, in percentage points, with its 95 % interval."""

    mean: float
    low: float
    high: float


class Decision(_Record):
    """One line of decisions.jsonl."""

    when: datetime
    """UTC."""
    outcome: Outcome
    challenger: Hash
    """Of a roll-back, the model that is champion again."""
    champion: Hash | None
    """The champion before; None: there was none."""
    number: int | None
    """Of the release that is champion from now on; None: there is none."""
    reason: str
    """A sentence."""
    gain: Gain | None = None
    judged_on: Ground = "nothing"
    samples: int = 0
    """On how many both were compared."""
    method: str = ""
    """Of the challenger, as lineage.json names it."""
    accuracy: float | None = None
    """The challenger's, on `judged_on`'s samples, in percent."""


class Release(_Record):
    """A released model."""

    number: int
    folder: Path
    model: Hash
    when: datetime
    """UTC: since when it is champion."""
    reason: str
