"""What the report tells about: the artifacts of the other rooms, read once and typed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from uml_pipeline.report.results import Read, Trunk
from uml_pipeline.report.splits import read_trunk
from uml_pipeline.report.verdicts import Verdict
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, read_json


class Expectation(Read):
    """One rule that a silo's data was held against."""

    name: str
    column: str | None
    asks: str
    """The rule in words."""
    passed: bool
    severity: str
    observed: Any


class Quality(Read):
    """artifacts/silo/<silo>/quality.json."""

    rows: int
    good: int
    bad: dict[str, int]
    bad_samples: dict[str, list[str]] = Field(default_factory=dict)
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

    def verdict(self, silo: str) -> Verdict | None:
        """The verdict on a silo; the target has none."""
        return next((one for one in self.verdicts if one.silo == silo), None)


def read(study: Study) -> Evidence:
    """Load the evidence of a study.

    Raises:
        UserError: a stage before the report has not run yet.
    """
    workspace = Workspace(study.folder)
    relevance = workspace.reading("relevance")
    trunk = read_trunk(workspace.reading("trunk"))
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
