"""What the report tells about: the artifacts of the other rooms, read once and typed."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, read_json

Kind = Literal["image-only", "bridge", "uml", "control", "text-only"]


class _Read(BaseModel):
    """Part of another room's artifact; keys that the report does not tell about are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Run(_Read):
    """Accuracy (percent) of one arm at one number of shots, over all splits."""

    method: str
    shots: int
    seeds: int
    mean: float
    std: float


class Gain(_Read):
    """Paired difference of two arms in percentage points, with its 95% interval."""

    method: str
    against: str
    shots: int
    mean: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval, to a hundredth of a point, is wholly on one side of zero; otherwise 0."""
        return int(round(self.low, 2) > 0) - int(round(self.high, 2) < 0)


class Arm(_Read):
    """What a method is called, and what it may learn from."""

    label: str
    kind: Kind
    about: str


class Ships(_Read):
    """The method that ships, and why."""

    method: str
    against: str | None = None
    reason: str


class Held(_Read):
    """Accuracy (percent) of the shipped model and of the baseline on the held-out test split."""

    ships: float
    baseline: float
    samples: int


class Monitor(_Read):
    """What a self-supervised arm's representation is like; `loss` is there where it was trained."""

    rank: float
    nearest: float
    loss: float | None = None


class Monitors(_Read):
    """Whether self-supervised training collapsed, or learnt less than what needs no learning."""

    arms: dict[str, Monitor]
    without_learning: dict[str, float]


class Trunk(_Read):
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


class Geometry(_Read):
    """A permutation test of how classes are arranged."""

    statistic: float
    p_value: float
    null: list[float]


class Expected(_Read):
    """A difference of accuracy that was predicted, in points."""

    mean: float
    low: float
    high: float


class Predicted(_Read):
    """What a silo is expected to give."""

    gain: Expected


class Verdict(_Read):
    """artifacts/relevance/<silo>.json."""

    silo: str
    verdict: Literal["helps", "neutral", "harms", "cannot tell"]
    p_value: float | None
    alone: Predicted | None
    beside: Predicted | None
    geometry: Geometry | None
    shared_classes: int
    used: bool
    reasons: list[str]

    @property
    def expected(self) -> Expected | None:
        """The larger of its two gains: to the target alone, or on top of all other silos."""
        gains = [one.gain for one in (self.alone, self.beside) if one is not None]
        return max(gains, key=lambda gain: gain.mean, default=None)


class Expectation(_Read):
    """One rule that a silo's data was held against."""

    name: str
    column: str | None
    asks: str
    """The rule in words."""
    passed: bool
    severity: str
    observed: Any


class Quality(_Read):
    """artifacts/silo/<silo>/quality.json."""

    rows: int
    good: int
    bad: dict[str, int]
    bad_samples: dict[str, list[str]] = {}
    """The first samples of each reason."""
    classes: int | None
    groups: int | None
    expectations: list[Expectation]
    passed: bool


@dataclass(frozen=True)
class Silo:
    """One silo as the report shows it."""

    name: str
    modality: str
    quality: Quality
    contact: Path | None
    """A sheet of sample images."""
    examples: list[tuple[str, str]]
    """Sample texts, each with its label."""


@dataclass(frozen=True)
class Evidence:
    """Everything that the report's words, tables and figures are made of."""

    target: str
    silos: list[Silo]
    """The target first."""
    verdicts: list[Verdict]
    trunk: Trunk


def read(study: Study) -> Evidence:
    """Load the evidence of a study.

    Raises:
        UserError: a stage before the report has not run yet.
    """
    workspace = Workspace(study.folder)
    relevance = workspace.reading("relevance")
    trunk = Trunk.model_validate(read_json(workspace.reading("trunk") / "metrics.json"))
    verdicts = [Verdict.model_validate(read_json(relevance / f"{name}.json")) for name in study.auxiliary]
    if trunk.used is not None:
        verdicts = [one.model_copy(update={"used": one.silo in trunk.used}) for one in verdicts]
    return Evidence(
        target=study.target,
        silos=[_silo(study, workspace, name) for name in (study.target, *study.auxiliary)],
        verdicts=verdicts,
        trunk=trunk,
    )


def _silo(study: Study, workspace: Workspace, name: str) -> Silo:
    folder = workspace.reading("silo", name)
    sheets = [path for path in (folder / "contact.png", folder / "contact.jpg") if path.is_file()]
    examples = folder / "examples.json"
    return Silo(
        name=name,
        modality=study.silo(name).modality,
        quality=Quality.model_validate(read_json(folder / "quality.json")),
        contact=sheets[0] if sheets else None,
        examples=[_example(item) for item in read_json(examples)] if examples.is_file() else [],
    )


def _example(item: Any) -> tuple[str, str]:
    text, label = (item["text"], item["label"]) if isinstance(item, dict) else item
    return str(text), "" if label is None else str(label)
