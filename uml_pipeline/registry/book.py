"""The registry's files: `registry/` of a study. `decisions.jsonl` is the truth: what stands there has happened.

A release's folders are there whole before its line is written, and `champion.json`, the pointer for other programs,
follows it. Killed in between, the next to open the registry sets the pointer right.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from uml_pipeline.errors import UserError
from uml_pipeline.registry.records import CROWNED, Decision, Release
from uml_pipeline.silo.manifest import MANIFEST
from uml_pipeline.workspace import Workspace, flush, write_json

if TYPE_CHECKING:
    import pandas as pd

    from uml_pipeline.study import Study

HITS = "cross-validation.parquet"  # of a release's record: what it recognised in cross-validation


def history(study: "Study") -> list[Decision]:
    """Every decision that changed something or refused to, oldest first.

    Raises:
        UserError: somebody has damaged decisions.jsonl.
    """
    path = _root(study) / "decisions.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1] if path.is_file() else []  # what has no end was never decided
    try:
        return [Decision.model_validate_json(line) for line in lines]
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]["msg"]
        fix = "restore the file from a backup, or move the folder `registry` away to start anew"
        raise UserError(f"the registry is damaged: {problem}", where=str(path), fix=fix) from None


def releases(study: "Study") -> dict[int, Release]:
    """All released models by number."""
    return {one.number: _release(study, one) for one in history(study) if one.outcome == "promoted" and one.number}


def champion(study: "Study") -> Release | None:
    """The released model in force; None before the first."""
    crowned = [one for one in history(study) if one.outcome in CROWNED]
    return _release(study, crowned[-1]) if crowned else None


def taken_back(decisions: list[Decision]) -> set[str]:
    """Hashes of the models that were champion until a roll-back, and were not made champion again."""
    gone: set[str] = set()
    for one in decisions:
        if one.outcome == "rolled back" and one.champion:
            gone.add(one.champion)
        if one.outcome in CROWNED:
            gone.discard(one.challenger)
    return gone


@contextmanager
def locked(study: "Study") -> Iterator[None]:
    """Nobody else decides meanwhile; the pointer says what the last decision says."""
    from filelock import FileLock

    _root(study).mkdir(exist_ok=True)
    with FileLock(_root(study) / ".lock"):
        _point(study)
        yield


def store(study: "Study", model: Path, hits: "pd.DataFrame | None", digest: str) -> Release:
    """Copy a model, and beside it what `uml verify` and later judgements ask for. It is released once that is written.

    `hits`: what it recognised in cross-validation.

    Raises:
        UserError: the model was replaced meanwhile.
    """
    number = max(releases(study), default=0) + 1
    release = Release.of(_root(study), number, digest)
    with _folder(release.record) as draft:
        for name in study.params.silos:
            shutil.copyfile(Workspace(study.folder).reading("silo", name) / MANIFEST, draft / f"{name}.parquet")
        if hits is not None:
            hits.to_parquet(draft / HITS, index=False)
    with _folder(release.folder) as draft:
        shutil.copytree(model, draft, dirs_exist_ok=True)
        if release.damaged(draft):
            raise UserError("the model was replaced while it was released", where=str(model), fix="promote again")
    return release


def write(study: "Study", decision: Decision) -> Decision:
    """Add a decision; it is on disk when this returns."""
    path = _root(study) / "decisions.jsonl"
    with path.open("ab+") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)  # half a line of somebody who was killed
        file.write(decision.model_dump_json().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    _point(study)
    return decision


def _root(study: "Study") -> Path:
    return study.folder / "registry"


def _release(study: "Study", decision: Decision) -> Release:
    assert decision.number is not None
    return Release.of(_root(study), decision.number, decision.challenger, decision)


@contextmanager
def _folder(final: Path) -> Iterator[Path]:
    """An empty folder that gets its name when it is whole and on disk. Who has that number was never released."""
    number = final.name.partition("-")[0]
    for left in [*final.parent.glob(f"{number}-*"), *final.parent.glob(f".{number}-*")]:
        shutil.rmtree(left)
    draft = final.parent / f".{final.name}"
    draft.mkdir(parents=True)
    yield draft
    flush([*(path for path in draft.rglob("*") if path.is_file()), draft])
    draft.rename(final)
    flush([final.parent])


def _point(study: "Study") -> None:
    """champion.json: number, folder below the registry, model hash, when, why."""
    one, root = champion(study), _root(study)
    if one is None:
        return
    draft = root / ".champion.json"
    folder = one.folder.relative_to(root).as_posix()
    write_json(draft, one.model_dump(mode="json", exclude={"record"}) | {"folder": folder})
    flush([draft])
    draft.replace(root / "champion.json")
    flush([root])
