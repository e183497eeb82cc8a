"""Is a study ready to run? Every silo is listed and tried on a few samples; what will run is named, with its cost."""

from collections.abc import Callable
from dataclasses import dataclass, field

from uml_pipeline import graph, pipeline
from uml_pipeline.errors import UserError
from uml_pipeline.pipeline import Step
from uml_pipeline.start import estimate
from uml_pipeline.start.estimate import Trial
from uml_pipeline.start.hints import hints, unlearnable
from uml_pipeline.start.look import Look, look
from uml_pipeline.study import Study


@dataclass(frozen=True)
class Silo:
    """One silo in a line."""

    name: str
    modality: str
    samples: int
    bad: int
    classes: int
    shared: int | None
    """Classes that the target has, too; None: what the target has is not known."""
    encoder: str


@dataclass(frozen=True)
class Ahead:
    """One step."""

    step: str
    seconds: float | None
    """None: not known; 0: up to date, it will be skipped."""


@dataclass(frozen=True)
class Checked:
    """What is there, what will run, and what a person should know before."""

    silos: list[Silo]
    steps: list[Ahead]
    memory: float | None
    """Bytes, roughly; None where a silo cannot be tried."""
    problems: list[str] = field(default_factory=list)
    """What will stop the run."""
    hints: list[str] = field(default_factory=list)


def check(study: Study, starting: Callable[[str], None] = lambda name: None) -> Checked:
    """Look at everything. Written are what an encoder fetches from its hub, and dvc.yaml where there is none.

    `starting` is told about every silo, for progress.

    Raises:
        UserError: DVC cannot read the study's graph.
    """
    fresh, problems = pipeline.status(study), list[UserError]()
    seen, tried = dict[str, Look](), dict[str, Trial]()
    for name in study.params.silos:
        starting(name)
        try:
            seen[name] = look(study, name)
            tried[name] = estimate.try_out(study, name, seen[name])
        except UserError as error:
            problems.append(error)
    known = seen.get(study.target)
    silos = [_silo(study, name, one, known) for name, one in seen.items()]
    memory = estimate.memory([(len(seen[name].labels), one.dim) for name, one in tried.items()])
    said = [str(one) for one in problems] + (unlearnable(known, study.target) if known else [])
    return Checked(
        silos,
        _ahead(study, fresh, tried, known),
        memory if not problems else None,
        said,
        hints(study, seen, {name: one.bad for name, one in tried.items()}),
    )


def _silo(study: Study, name: str, seen: Look, target: Look | None) -> Silo:
    config, classes = study.silo(name), set(seen.classes.index)
    shared = len(classes & set(target.classes.index)) if target else None
    count = len(seen.labels) + seen.bad.total()
    return Silo(name, config.modality, count, seen.bad.total(), len(classes), shared, config.encoder)


def _ahead(study: Study, fresh: dict[Step, bool], tried: dict[str, Trial], target: Look | None) -> list[Ahead]:
    """All steps in their order; what follows a step that runs is counted, too, though it may find nothing changed."""
    needs = graph.read(study)
    runs = {after for step, done in fresh.items() if not done for after in graph.downstream(needs, step)}
    return [Ahead(step.address, _seconds(study, step, tried, target) if step in runs else 0.0) for step in fresh]


def _seconds(study: Study, step: Step, tried: dict[str, Trial], target: Look | None) -> float | None:
    if step.silo in tried:
        return tried[step.silo].reading if step.stage == "silo" else tried[step.silo].encoding
    if target is None or study.target not in tried:
        return None
    classes, dim = len(target.classes), tried[study.target].dim
    known = {
        "relevance": estimate.relevance_seconds(len(study.auxiliary), classes, dim),
        "trunk": estimate.trunk_seconds(study, classes, dim),
        "model": estimate.STAGE,
    }
    return known.get(step.stage)
