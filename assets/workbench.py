"""What every asset runs on: the study, DVC's ledger of it, and how a step's outcome becomes an event in Dagster."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, PrivateAttr

from uml_pipeline import pipeline
from uml_pipeline.errors import explained
from uml_pipeline.ledger import Ledger
from uml_pipeline.pipeline import Outcome, Step
from uml_pipeline.pointer import pointer_of
from uml_pipeline.progress import peak_bytes
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, read_json

from . import faults


def study_folder() -> Path:
    """The folder of the study: environment variable UML_STUDY, or else the working directory."""
    return Path(os.environ.get("UML_STUDY", ".")).resolve()


class Workbench(dg.ConfigurableResource):
    """The study's folder. Its steps run here, one after the other, and DVC keeps the record of them."""

    folder: str
    pull: list[str] = Field(default_factory=list)
    """Silos whose .dvc file is new: the data that it names are fetched before the silo is read."""
    _opened: tuple[Study, Ledger] | None = PrivateAttr(default=None)
    _seconds: float = PrivateAttr(default=0)

    def run(self, step: Step) -> Outcome:
        """Bring one step up to date, in this process.

        Raises:
            dagster.Failure: what the user has to mend, in the pipeline's own words.
        """
        started = time.monotonic()
        with told_in_dagster():
            study, ledger = self._open()
            if step.stage == "silo" and step.silo in self.pull and (pointer := pointer_of(study, step.silo)):
                ledger.pull(pointer.path)
            outcome = pipeline.run_step(study, ledger, step)
        self._seconds = time.monotonic() - started
        return outcome

    def study(self) -> Study:
        """The study as its params.yaml has it now."""
        return self._open()[0]

    def version(self, step: Step) -> str:
        """DVC's hash of the step's output: equal hashes, equal bytes."""
        recorded = self._open()[1].version(step.address)
        assert recorded, f"{step.address} ran, and DVC has no record of it"
        return recorded

    def artifact(self, stage: str, silo: str | None = None) -> Path:
        """Folder of a complete artifact."""
        return Workspace(Path(self.folder)).reading(stage, silo)

    def facts(self, stage: str, file: str, silo: str | None = None) -> Any:
        """A JSON file of an artifact."""
        return read_json(self.artifact(stage, silo) / file)

    def result(
        self, step: Step, outcome: Outcome, metadata: Mapping[str, Any], *, version: str | None = None, **more: Any
    ) -> dg.MaterializeResult:
        """The event of a step that is up to date: DVC's hash as data version, what is known of it, and what it cost."""
        cost = {"seconds": round(self._seconds, 1), "peak memory of the process, MB": peak_bytes() // 2**20}
        told = {"state": outcome.value, **metadata, **(cost if outcome is Outcome.DONE else {})}
        return dg.MaterializeResult(
            data_version=dg.DataVersion(version or self.version(step)),
            metadata={name: value for name, value in told.items() if value is not None},
            **more,
        )

    def _open(self) -> tuple[Study, Ledger]:
        """Once a run, and not before a step asks: opening DVC takes a second."""
        if self._opened is None:
            study = Study(self.folder)
            self._opened = study, pipeline.open_ledger(study)
        return self._opened


@contextmanager
def told_in_dagster() -> Iterator[None]:
    """What fails inside fails the step: tried again if the network was at fault, and not if a person has to act."""
    try:
        yield
    except Exception as error:
        user = explained(error)
        if user is None and faults.transient(error):
            raise
        if user is None:  # a bug: once is enough
            raise dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False) from error
        told = {"what": user.what, "where": user.where, "to do": user.fix}
        raise dg.Failure(
            str(user),
            metadata={key: text for key, text in told.items() if text},
            allow_retries=faults.transient(error),
        ) from None
