"""The study's graph in Dagster's words: key, group, upstream keys, owner, tags and code version of every step."""

import functools
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg

import uml_pipeline
from uml_pipeline import graph
from uml_pipeline.pipeline import SILO, STAGES, Step
from uml_pipeline.study import Study
from uml_pipeline.workspace import fingerprint_of, sha256

from .automation.conditions import on_new_content

CHAMPION = dg.AssetKey("champion")
"""The released model: no step of DVC's graph, for it depends on what was released before."""
_ON_GPU = {"features", "trunk"}
_LARGE = {"features", "relevance", "trunk", "report"}  # they hold all vectors of several silos, or a network


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

    def pool(self, step: Step) -> str | None:
        """What the step competes for with others; how many may have it at once is the instance's business."""
        device = self.study.params.features.device
        if step.stage in _ON_GPU and (device == "cuda" or (device == "auto" and shutil.which("nvidia-smi"))):
            return "gpu"
        return "memory" if step.stage in _LARGE else None

    def tags(self, silo: str | None = None) -> dict[str, str]:
        """What assets can be searched by: their study, and of a silo's what it is used for, and its modality."""
        tags = {"uml/study": re.sub(r"[^\w.-]+", "_", self.study.folder.name, flags=re.ASCII)[:63].strip("_.-")}
        if silo:
            role = "target" if silo == self.study.target else "auxiliary"
            tags |= {"uml/role": role, "uml/modality": self.study.silo(silo).modality}
        return tags

    def specs(self, step: Step, description: str, kinds: Iterable[str]) -> list[dg.AssetSpec]:
        """What Dagster shall show of the step, and where it hangs it in the graph."""
        upstream = [key for needed in self.graph[step] for key in self.keys(needed)]
        silos = {key: key.path[1] if step.ours and len(key.path) > 1 else None for key in self.keys(step)}
        return [
            dg.AssetSpec(
                key,
                deps=upstream,
                group_name=step.stage if step.ours else "data",
                description=description,
                kinds=set(kinds),
                code_version=_code_version(self.study, step),
                automation_condition=on_new_content,
                owners=[owner] if silo and (owner := self.study.silo(silo).owner) else [],
                tags=self.tags(silo),
            )
            for key, silo in silos.items()
        ]

    def downstream(self, step: Step) -> list[dg.AssetKey]:
        """The assets of the step and of all that depends on it."""
        reached = graph.downstream(self.graph, step)
        keys = [key for one in reached for key in self.keys(one)]
        return [*keys, CHAMPION] if Step("model") in reached else keys


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
