"""Is a silo's content what the study was last built from? A cheap look first; DVC's hash where that differs."""

import json
import time
from dataclasses import dataclass

import fsspec
from pydantic import BaseModel

from uml_pipeline.ledger import Ledger
from uml_pipeline.pipeline import Step, open_ledger
from uml_pipeline.pointer import pointer_of
from uml_pipeline.study import Study
from uml_pipeline.workspace import fingerprint_of


class Memory(BaseModel):
    """What the sensor keeps from one look to the next: its cursor. All by silo, but the last."""

    looks: dict[str, str] = {}
    """How it looked last time."""
    judged: dict[str, str] = {}
    """How it looked when its content was last compared."""
    pointers: dict[str, str | None] = {}
    """The hash in its .dvc file then."""
    asked: dict[str, str] = {}
    """The content that a run was asked for: not asked for again, even if that run failed."""
    runs: int = 0
    """How many runs were asked for."""


@dataclass(frozen=True)
class Change:
    """A silo with new content (its hash; None: it vanished), to be fetched first if only its .dvc file changed."""

    silo: str
    content: str | None
    pull: bool

    @property
    def asks(self) -> str:
        """What the run is to do, in short."""
        return f"{'pull' if self.pull else 'read'} {self.content}"


def look(study: Study, silo: str) -> str:
    """A hash of what the file system tells of every file (size, time, an object store's etag) without reading it.

    Raises:
        UserError: the silo's .dvc file cannot be read. (A file system that cannot be reached has errors of its own.)
    """
    fs, root = fsspec.url_to_fs(str(study.data(silo)))
    fs.invalidate_cache()  # object stores remember what they listed
    pointer = pointer_of(study, silo)
    try:
        listed = fs.find(root, detail=True)
    except FileNotFoundError:  # a file went between two calls
        return f"changing at {time.time_ns()}"
    return fingerprint_of([json.dumps(listed, sort_keys=True, default=str), pointer and pointer.md5])


def compare(study: Study, silos: list[str], memory: Memory) -> list[Change]:
    """Those of the silos whose content is neither in dvc.lock nor asked for already; `memory` is brought up to date.

    Raises:
        UserError: DVC cannot read the study.
    """
    ledger, found = open_ledger(study), []
    for silo in silos:
        built, now = ledger.content(Step("silo", silo).address, study.silo(silo).path)
        change = _change(study, ledger, silo, built, now, memory)
        if change.content == built:
            memory.asked.pop(silo, None)
        elif memory.asked.get(silo) != change.asks:
            memory.asked[silo] = change.asks
            found.append(change)
    return found


def _change(study: Study, ledger: Ledger, silo: str, built: str | None, now: str | None, memory: Memory) -> Change:
    """The content that the silo has, or shall have according to a .dvc file that was changed and not followed yet."""
    pointer = pointer_of(study, silo)
    seen, before = silo in memory.pointers, memory.pointers.get(silo)
    memory.pointers[silo] = pointer and pointer.md5
    if pointer is None or not ledger.behind(pointer.path):
        return Change(silo, now, pull=False)
    # edited data differ from their .dvc file too, and must stay: it is the file that has to be new
    bumped = pointer.md5 != before if seen else now is None or (pointer.alone and now == built)
    return Change(silo, pointer.md5, pull=True) if bumped else Change(silo, now, pull=False)
