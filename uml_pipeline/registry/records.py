"""What the registry keeps of every decision, and what a released model is."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Outcome = Literal["promoted", "refused", "unchanged", "rolled back"]
CROWNED: tuple[Outcome, ...] = ("promoted", "rolled back")
"""After these a model is champion."""
Ground = Literal["gate", "cross-validation", "nothing"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gain(_Record):
    """Challenger's accuracy minus champion's on the same samples, in percentage points, with its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        mean, low, high = (f"{one:+.1f}".replace("-", "\N{MINUS SIGN}") for one in (self.mean, self.low, self.high))
        return f"{mean} points (95% interval {low} to {high})"


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
    """The model, as it was shipped."""
    record: Path
    """Beside it: the manifests that it was made from, and what it recognised in cross-validation."""
    model: Hash
    when: datetime | None
    """UTC: since when it was champion; None: it is being released."""
    reason: str

    @classmethod
    def of(cls, registry: Path, number: int, model: str, decision: Decision | None = None) -> Self:
        """The release of that number, as `decision` made it champion."""
        name = f"{number:04}-{model[:12]}"
        when, reason = (decision.when, decision.reason) if decision else (None, "")
        return cls(
            number=number,
            folder=registry / "models" / name,
            record=registry / "records" / name,
            model=model,
            when=when,
            reason=reason,
        )

    def damaged(self, folder: Path) -> bool:
        """Whether what lies in `folder` is not this model."""
        from uml_pipeline.model.folder import model_hash

        try:
            return model_hash(folder) != self.model
        except FileNotFoundError:
            return True
