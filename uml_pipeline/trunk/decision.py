"""Promise 1, never worse: the rule by which an arm with auxiliary silos ships, whatever the mode."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from uml_pipeline.learn.statistics import Gain


class Named(Protocol):
    """An arm, as people know it."""

    @property
    def name(self) -> str:
        """Its key in tables."""
        ...

    @property
    def label(self) -> str:
        """Its name in sentences."""
        ...

    @property
    def kind(self) -> str:
        """What it learns from."""
        ...

    @property
    def about(self) -> str:
        """What it is, in a sentence."""
        ...


class Judged(Protocol):
    """A recipe: an arm with its settings, and its validation log-loss."""

    @property
    def arm(self) -> Named:
        """The arm."""
        ...

    @property
    def loss(self) -> float:
        """Mean over episodes."""
        ...


Recipe = TypeVar("Recipe", bound=Judged)


@dataclass(frozen=True)
class Decision(Generic[Recipe]):
    """The recipe that ships, the best target-only recipe, and why."""

    ships: Recipe
    baseline: Recipe
    gain: Gain | None
    reason: str
    rival: Recipe | None = None
    """The best recipe with auxiliary silos, whether it ships or not; None where there is none."""

    def describe(self) -> dict[str, Any]:
        """For JSON."""
        gain = vars(self.gain) if self.gain else None
        return {"method": self.ships.arm.name, "against": self.baseline.arm.name, "reason": self.reason, "val": gain}


def never_worse(
    alone: Sequence[Recipe],
    rivals: Sequence[Recipe],
    judge: Callable[[Recipe, Recipe], Gain],
    *,
    on: str,
    provided: str = "",
) -> Decision[Recipe]:
    """The best rival ships where it beats the best of those that are `alone` beyond noise, else the latter does.

    Each side's best has the lowest log-loss, the first of equals; `judge` compares the two, `on` says what on.
    """
    baseline = min(alone, key=lambda one: one.loss)
    if not rivals:
        return Decision(baseline, baseline, None, "no auxiliary silo is in use")
    rival = min(rivals, key=lambda one: one.loss)
    gain = judge(rival, baseline)
    mean, low, high = (f"{value:+.1f}".replace("-", "\N{MINUS SIGN}") for value in (gain.mean, gain.low, gain.high))
    numbers = f"{mean} points {on}, 95% interval {low} to {high}"
    if gain.low > 0:
        return Decision(rival, baseline, gain, f"{rival.arm.label} beats {baseline.arm.label}: {numbers}", rival)
    reason = f"{provided}{rival.arm.label} is not better than {baseline.arm.label} beyond noise: {numbers}"
    return Decision(baseline, baseline, gain, reason, rival)
