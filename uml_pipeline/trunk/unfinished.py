"""Where a gradient mode's unfinished work lies: a killed stage goes on from there."""

from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path

from uml_pipeline.cache import FOLDER
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, fingerprint_of


def root(study: Study) -> Path:
    """Of the study's mode; it vanishes when the stage is done."""
    return study.folder / FOLDER / study.params.trunk.mode


def key(study: Study, no_matter: Collection[str]) -> str:
    """Changes with whatever the outcome depends on, so not with the mode's keys of `no_matter`."""
    workspace, params = Workspace(study.folder), study.params
    config = params.trunk.model_dump(mode="json")
    mode = config["mode"]
    config[mode] = {name: value for name, value in config[mode].items() if name not in no_matter}
    made = [workspace.version(stage, name) for name in params.silos for stage in ("silo", "features")]
    versions = [version(name) for name in ("uml-pipeline", "torch", "timm", "transformers")]
    return fingerprint_of([params.target, config, made, workspace.version("relevance"), versions])[:16]
