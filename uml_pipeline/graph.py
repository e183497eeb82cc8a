"""A study's steps and what each needs, read off STAGES and dvc.yaml's text: DVC's graph without opening DVC."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from uml_pipeline.errors import UserError
from uml_pipeline.pipeline import SILO, STAGES, Stage, Step
from uml_pipeline.study import Study

Graph = dict[Step, list[Step]]


def read(study: Study) -> Graph:
    """Every step with those whose outputs it reads; a test holds it equal to DVC's own view.

    Raises:
        UserError: dvc.yaml cannot be read, or has a stage of the study's own that only DVC could expand.
    """
    entries = _own(study) | _ours(study)
    reads = {step: [_place(study, dep) for dep in entry.get("deps", [])] for step, entry in entries.items()}
    makes = {step: [_place(study, out) for out in entry.get("outs", [])] for step, entry in entries.items()}
    return {
        step: [other for other in entries if other != step and _touch(reads[step], makes[other])] for step in entries
    }


def downstream(graph: Graph, start: Step) -> list[Step]:
    """`start` and every step that depends on it, however far."""
    reached = {start}
    while more := {step for step, needs in graph.items() if step not in reached and reached.intersection(needs)}:
        reached |= more
    return [step for step in graph if step in reached]


def _ours(study: Study) -> dict[Step, dict[str, Any]]:
    """The entries of the six rooms, one a silo where the room runs once a silo."""
    return {
        Step(stage.name, name): _filled(stage, study, name)
        for stage in STAGES
        for name in (study.params.silos if stage.each else [None])
    }


def _filled(stage: Stage, study: Study, silo: str | None) -> dict[str, Any]:
    """A room's inputs and output with the placeholders written out."""
    paths = {"deps": stage.deps, "outs": (stage.out,)}
    if silo is None:
        return paths
    fill = {"${item.path}": study.silo(silo).path}
    return {kind: [fill.get(path, path.replace(SILO, silo)) for path in listed] for kind, listed in paths.items()}


def _own(study: Study) -> dict[Step, dict[str, Any]]:
    """The entries of the study's own stages, such as the one that fetches its data."""
    path = study.folder / "dvc.yaml"
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError("not valid YAML", where=f"{path}: {error}", fix="mend the syntax at that place") from None
    own = {Step(name): entry for name, entry in (entries.get("stages") or {}).items() if not Step(name).ours}
    for step, entry in own.items():
        if {"foreach", "matrix"} & entry.keys() or "${" in str([entry.get("deps"), entry.get("outs")]):
            raise UserError(
                f"stage {step.stage!r} has placeholders",
                where=str(path),
                fix="write its paths out: only the six stages run once a silo",
            )
    return own


def _place(study: Study, listed: str | dict[str, Any]) -> Path:
    """The absolute path of a dependency or output; DVC writes one with flags as a mapping."""
    path = listed if isinstance(listed, str) else next(iter(listed))
    return Path(os.path.normpath(study.folder / path))


def _touch(some: Iterable[Path], others: Iterable[Path]) -> bool:
    """Whether a path of one is, holds or stands in a path of the other."""
    return any(a.is_relative_to(b) or b.is_relative_to(a) for a in some for b in others)
