"""The study's graph in Dagster's words: the key, group, upstream keys and code version of every step."""

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg

import uml_pipeline
from assets.automation.conditions import on_new_content
from uml_pipeline import graph
from uml_pipeline.pipeline import SILO, STAGES, Step
from uml_pipeline.study import Study
from uml_pipeline.workspace import fingerprint_of, sha256


class Plan:
    """All steps of one study, as they shall stand in the asset graph."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.graph = graph.read(study)

    def keys(self, step: Step) -> list[dg.AssetKey]:
        """The assets that one step makes: one, but relevance makes one verdict a silo."""
        if not step.ours:
            return [dg.AssetKey(["data", step.stage.replace("-", "_")])]
        if step.stage == "relevance" and self.study.auxiliary:
            return [dg.AssetKey(["relevance", name]) for name in self.study.auxiliary]
        return [dg.AssetKey([step.stage, step.silo] if step.silo else [step.stage])]

    def name(self, step: Step) -> str:
        """What Dagster calls the computation: its name in a run's timeline."""
        return step.address.replace("@", "__").replace("-", "_")

    def role(self, silo: str) -> str:
        """What the study uses a silo for."""
        if silo == self.study.target:
            return "It is the target: the shipped model reads this modality alone."
        return "It is auxiliary: it may help the training, and the shipped model never needs it."

    def specs(self, step: Step, description: str, kinds: Iterable[str]) -> list[dg.AssetSpec]:
        """What Dagster shall show of the step, and where it hangs it in the graph."""
        upstream = [key for needed in self.graph[step] for key in self.keys(needed)]
        return [
            dg.AssetSpec(
                key,
                deps=upstream,
                group_name=step.stage if step.ours else "data",
                description=description,
                kinds=set(kinds),
                code_version=_code_version(self.study, step),
                automation_condition=on_new_content,
            )
            for key in self.keys(step)
        ]

    def downstream(self, step: Step) -> list[dg.AssetKey]:
        """The assets of the step and of all that depends on it."""
        return [key for reached in graph.downstream(self.graph, step) for key in self.keys(reached)]


def _code_version(study: Study, step: Step) -> str | None:
    """A hash of the sources and parameters DVC watches for this step, so that the UI calls it outdated when DVC does.

    Data is left to the data versions, and a stage of the study's own to DVC.
    """
    stage = next((stage for stage in STAGES if stage.name == step.stage), None)
    if stage is None:
        return None
    params = [_value(study.raw, param.replace(SILO, step.silo or "")) for param in stage.params]
    return fingerprint_of([params, *(_sources(room) for room in (stage.name, *stage.code))])[:12]


def _value(params: Any, path: str) -> Any:
    """What stands in params.yaml under a dotted path; None where its default counts."""
    for key in path.split("."):
        params = params.get(key) if isinstance(params, dict) else None
    return params


@functools.cache
def _sources(room: str) -> dict[str, str]:
    """The hash of every file of a room."""
    folder = Path(uml_pipeline.__file__).parent / room
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): sha256(path) for path in sorted(files)}
