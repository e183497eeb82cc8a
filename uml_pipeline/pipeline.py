"""The stage graph, and the one way to run it. `dvc repro`, Dagster and `uml run` all end in the same six functions."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import Any

import yaml

from uml_pipeline.cache import FOLDER
from uml_pipeline.errors import UserError, concerning
from uml_pipeline.ledger import Ledger
from uml_pipeline.study import PARAMS, Study
from uml_pipeline.workspace import Workspace

SILO = "${key}"  # DVC's placeholder for the silo's name in a stage that runs once a silo


@dataclass(frozen=True)
class Stage:
    """One room as DVC sees it: what it reads, which parameters count, and whether it runs once a silo."""

    name: str
    asks: str
    deps: tuple[str, ...]
    params: tuple[str, ...]
    each: bool = False
    code: tuple[str, ...] = ()

    @property
    def out(self) -> str:
        """The artifact folder."""
        return f"artifacts/{self.name}/{SILO}" if self.each else f"artifacts/{self.name}"

    def render(self, code: bool = True) -> dict[str, Any]:
        """The stage's entry in dvc.yaml; `code` makes it depend on the rooms' sources too."""
        rooms = [f"uml_pipeline/{room}" for room in (self.name, *self.code)] if code else []
        body = {
            "desc": self.asks,
            "cmd": f"uml {self.name} {SILO}" if self.each else f"uml {self.name}",
            "deps": [*self.deps, *rooms],
            "params": list(self.params),
            "outs": [self.out],
        }
        return {"foreach": "${silos}", "do": body} if self.each else body


STAGES = (
    Stage(
        "silo",
        "What data is this, and is it sound?",
        ("${item.path}",),
        (f"silos.{SILO}",),
        each=True,
        code=("samples",),
    ),
    Stage(
        "features",
        "What does the encoder see?",
        (f"artifacts/silo/{SILO}",),
        (f"silos.{SILO}", "features"),
        each=True,
        code=("samples",),
    ),
    Stage(
        "relevance",
        "Is it about the same world, so will it help?",
        ("artifacts/silo", "artifacts/features"),
        ("target", "relevance"),
        code=("learn",),
    ),
    Stage(
        "trunk",
        "What is learned?",
        ("artifacts/silo", "artifacts/features", "artifacts/relevance"),
        ("target", "trunk"),
        code=("learn", "features", "samples"),
    ),
    Stage(
        "model",
        "What do we ship?",
        ("artifacts/silo", "artifacts/features", "artifacts/relevance", "artifacts/trunk"),
        ("target", "silos"),
    ),
    Stage(
        "report",
        "Is it better, by how much, and how do we know?",
        ("artifacts/silo", "artifacts/features", "artifacts/relevance", "artifacts/trunk", "artifacts/model"),
        ("target", "silos", "report"),
        code=("learn", "features", "samples"),
    ),
)


TRACKED: dict[str, list[Any]] = {
    "metrics": ["artifacts/report/summary.json"],
    "plots": [
        {
            "artifacts/report/plots/accuracy.csv": {
                "title": "Accuracy by labelled samples a class",
                "x": "shots",
                "y": ["ships", "baseline", "uml"],
                "y_label": "test accuracy, %",
            }
        },
        {
            "artifacts/report/plots/gains.csv": {
                "title": "Gain over the strongest arm without auxiliary silos, by arm and shots",
                "template": "bar_horizontal",
                "x": "gain",
                "y": "arm",
                "x_label": "points",
            }
        },
        "artifacts/report/figures",
    ],
}
"""What `dvc metrics` and `dvc plots` compare between versions; report/tracked.py writes it."""


def render(code: bool = True) -> dict[str, Any]:
    """dvc.yaml of any study (a study may add stages of its own, such as the one that fetches its data)."""
    return {"stages": {stage.name: stage.render(code) for stage in STAGES}, **TRACKED}


def render_yaml(code: bool = True) -> str:
    """`render` as the text that stands in dvc.yaml."""
    return yaml.safe_dump(render(code), sort_keys=False, width=120)


def open_ledger(study: Study) -> Ledger:
    """The study's ledger; a study without a dvc.yaml gets one.

    Sources count as inputs where they stand in the study's own repository, as the demo's do, and not where the library
    is installed. DVC wants every section that a stage reads to stand in params.yaml, so missing ones are added, empty.
    """
    from filelock import FileLock

    path, kept = study.folder / "dvc.yaml", study.folder / FOLDER
    kept.mkdir(exist_ok=True)
    with FileLock(kept / "opening.lock"):  # the processes of one run may be the first to open it, all at once
        if not path.exists():
            missing = [name for name in ("features", "relevance", "trunk", "report") if name not in study.raw]
            with (study.folder / PARAMS).open("a", encoding="utf-8") as params:
                params.writelines(f"\n{name}: {{}} # all defaults\n" for name in missing)
            path.write_text(render_yaml(code=(study.folder / "uml_pipeline").is_dir()), encoding="utf-8")
        return Ledger(study.folder)


class Outcome(Enum):
    """What became of one step of a run."""

    DONE = "done"
    """It ran."""
    RESTORED = "restored"
    """An earlier run had made it of the same inputs: DVC's cache gave it back."""
    UNCHANGED = "unchanged"
    """It was up to date."""


@dataclass(frozen=True)
class Step:
    """One node of the graph: a stage, for one silo where the stage runs once a silo; or a stage of the study's own."""

    stage: str
    silo: str | None = None

    @property
    def address(self) -> str:
        """DVC's name of the step."""
        return f"{self.stage}@{self.silo}" if self.silo else self.stage

    @property
    def ours(self) -> bool:
        """Whether it is one of the six rooms."""
        return any(stage.name == self.stage for stage in STAGES)

    @classmethod
    def parse(cls, address: str) -> "Step":
        """The inverse of `address`."""
        stage, _, silo = address.partition("@")
        return cls(stage, silo or None)


def steps(ledger: Ledger) -> list[Step]:
    """All steps of the study in an order in which they can run."""
    return [Step.parse(address) for address in ledger.order()]


def call(study: Study, step: Step) -> None:
    """Run one room's function in this process; no look at the ledger.

    Raises:
        UserError: what the room found wrong with the input.
    """
    run = import_module(f"uml_pipeline.{step.stage}.stage").run
    if step.silo:
        run(study, step.silo)
    else:
        run(study)


def _find(study: Study, silo: str) -> None:
    """Refuse a silo whose path does not exist in our words: DVC would speak of dvc.yaml, and not of params.yaml."""
    from uml_pipeline.samples.opening import find

    with concerning(f"silo {silo!r}"):
        find(study.silo(silo), study.folder)


@contextmanager
def alone(study: Study, step: Step) -> Iterator[None]:
    """Wait for whoever works at the step unknown to the ledger: what a killed `dvc repro` had started goes on."""
    from filelock import FileLock

    kept = study.folder / FOLDER
    kept.mkdir(exist_ok=True)
    with FileLock(kept / f"{step.address}.lock"):  # the system lets go of it when the process ends, however it ends
        yield


def run_step(study: Study, ledger: Ledger, step: Step, *, force: bool = False) -> Outcome:
    """Run a step if its inputs, parameters, code or outputs changed since the ledger's record; then record it.

    Whoever else is at it, through whichever door, is waited for.

    Raises:
        UserError: what the room found wrong, or an input changed while the room was reading it.
    """
    with ledger.holding(step.address), alone(study, step):
        return _run_held(study, ledger, step, force)


def _run_held(study: Study, ledger: Ledger, step: Step, force: bool) -> Outcome:
    if step.ours:
        Workspace(study.folder).sweep(step.stage, step.silo)  # first: what is left counts among what others read
    if not force and not ledger.changed(step.address):
        return Outcome.UNCHANGED
    if not step.ours:
        ledger.reproduce(step.address)
        return Outcome.DONE
    if step.stage == "silo" and step.silo:
        _find(study, step.silo)
    before = ledger.inputs(step.address)
    if not force and ledger.restore(step.address):
        return Outcome.RESTORED
    call(study, step)
    if ledger.inputs(step.address) != before:
        raise UserError(
            f"an input of {step.address} changed while it ran", fix="run again: nothing that is done is lost"
        )
    ledger.record(step.address)
    return Outcome.DONE


def _check_encoder(study: Study, ledger: Ledger, silo: str) -> None:
    """Say before any silo is read what stage `features` would say of an encoder after the last one."""
    from uml_pipeline.features.encoders import check_encoder

    config = study.silo(silo)
    if config.checkpoint and ledger.makes(study.folder / config.checkpoint):
        return  # a stage of the study's own may have to fetch it first
    with concerning(f"silo {silo!r}"):
        check_encoder(config, study.folder)


def run(
    study: Study,
    *,
    only: Iterable[str] = (),
    force: bool = False,
    starting: Callable[[Step], None] = lambda step: None,
    finished: Callable[[Step, Outcome], None] = lambda step, outcome: None,
) -> None:
    """Bring the study (or the steps of the stages named in `only`) up to date, upstream first.

    Args:
        study: which study.
        only: stage names; none means all.
        force: run even what is up to date.
        starting: told about every step before it, for progress.
        finished: told about every step after it, and what became of it.

    Raises:
        UserError: from the first step that found its input wrong; what was done before it stays.
    """
    ledger, chosen = open_ledger(study), set(only)
    todo = [step for step in steps(ledger) if not chosen or step.stage in chosen]
    for step in todo:
        if step.stage == "features" and step.silo and (force or ledger.changed(step.address)):
            _check_encoder(study, ledger, step.silo)
    for step in todo:
        starting(step)
        finished(step, run_step(study, ledger, step, force=force))


def status(study: Study) -> dict[Step, bool]:
    """For every step, whether it is up to date."""
    ledger = open_ledger(study)
    return {step: not ledger.changed(step.address) for step in steps(ledger)}
