"""The trunk's results as the report tells about them: accuracies, paired gains, and what ships."""

from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["image-only", "bridge", "uml", "control", "text-only"]
_PAPER = "uml"  # the arm that every mode has in the paper's form


class Read(BaseModel):
    """Part of another room's artifact; keys that the report does not tell about are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Run(Read):
    """Accuracy (percent) of one arm at one number of shots, over all splits."""

    method: str
    shots: int
    seeds: int
    mean: float
    std: float


class Gain(Read):
    """Paired difference of two arms in percentage points, with its 95% interval."""

    method: str
    against: str
    shots: int
    mean: float
    low: float
    high: float
    better: int | None = None
    """On how many splits the first arm is better; None where single splits were not kept."""
    splits: int | None = None

    @property
    def sign(self) -> int:
        """1 or -1 where the interval, to a hundredth of a point, is wholly on one side of zero; otherwise 0."""
        return int(round(self.low, 2) > 0) - int(round(self.high, 2) < 0)


class Arm(Read):
    """What a method is called, and what it may learn from."""

    label: str
    kind: Kind
    about: str


class Ships(Read):
    """The method that ships, and why."""

    method: str
    against: str | None = None
    reason: str


class Held(Read):
    """Accuracy (percent) of the shipped model and of the baseline on the held-out test split."""

    ships: float
    baseline: float
    samples: int


class Monitor(Read):
    """What a self-supervised arm's representation is like; `loss` is there where it was trained."""

    rank: float
    nearest: float
    loss: float | None = None


class Monitors(Read):
    """Whether self-supervised training collapsed, or learnt less than what needs no learning."""

    arms: dict[str, Monitor]
    without_learning: dict[str, float]


class Trunk(Read):
    """artifacts/trunk/metrics.json."""

    runs: list[Run]
    gains: list[Gain]
    arms: dict[str, Arm]
    ships: Ships
    test: Held
    used: list[str] | None = None
    """The silos in use, where the mode does not go by the verdicts alone."""
    monitors: Monitors | None = None

    @cached_property
    def shots(self) -> list[int]:
        """Every number of labelled samples a class that was tried; 0 (no sample at all) is no column of its own."""
        return sorted({run.shots for run in self.runs if run.shots > 0})

    @cached_property
    def methods(self) -> list[str]:
        """All arms: those without auxiliary silos first, then UML, controls, and those without the target."""
        kinds: list[Kind] = ["image-only", "bridge", "uml", "control", "text-only"]
        return sorted(self.arms, key=lambda method: kinds.index(self.arms[method].kind))

    def of(self, kind: Kind) -> list[str]:
        """The arms of one kind."""
        return [method for method in self.methods if self.arms[method].kind == kind]

    def label(self, method: str) -> str:
        """The human name of an arm."""
        return self.arms[method].label if method in self.arms else method

    def run(self, method: str, shots: int) -> Run | None:
        """The arm's result; one that needs no target sample has the same result at every number of shots."""
        found = {run.shots: run for run in self.runs if run.method == method}
        return found.get(shots, found.get(0))

    def best(self, shots: int) -> str | None:
        """The arm with the highest mean accuracy."""
        runs = {method: run.mean for method in self.methods if (run := self.run(method, shots))}
        return max(runs, key=lambda method: runs[method], default=None)

    @cached_property
    def strict(self) -> list[Gain]:
        """For each arm and number of shots the smallest gain: against the strongest rival of the target's modality."""
        rivals, least = [*self.of("image-only"), *self.of("bridge")], dict[tuple[int, str], Gain]()
        for gain in self.gains:
            if gain.against not in rivals:
                continue
            key = (gain.shots, gain.method)
            if key not in least or gain.mean < least[key].mean:
                least[key] = gain
        return sorted(least.values(), key=lambda gain: (gain.shots, self.methods.index(gain.method)))

    @cached_property
    def judged(self) -> list[Gain]:
        """The gains that say whether it helps: of the UML arm that ships, else of the best at the fewest shots."""
        arms = self.of("uml")
        gains = [gain for gain in self.strict if gain.method in arms]
        if not gains:
            return []
        first = max((gain for gain in gains if gain.shots == gains[0].shots), key=lambda gain: gain.mean)
        method = self.ships.method if self.ships.method in {gain.method for gain in gains} else first.method
        return [gain for gain in gains if gain.method == method]

    @cached_property
    def foremost(self) -> list[str]:
        """The few arms that a figure shows first: what ships, the best UML, its strongest peer, UML as in the paper."""
        first = {self.ships.method, _PAPER} | {name for gain in self.judged[:1] for name in (gain.method, gain.against)}
        return [method for method in self.methods if method in first]
