"""Where a gradient mode's unfinished work lies: a killed stage goes on from there."""

from importlib.metadata import version
from pathlib import Path

from uml_pipeline.cache import FOLDER
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, fingerprint_of

_NO_MATTER = {"processes", "launcher", "save_every"}  # keys that change how it is computed, not what comes out


def root(study: Study) -> Path:
    """Of the study's mode; it vanishes when the stage is done."""
    return study.folder / FOLDER / study.params.trunk.mode


def key(study: Study) -> str:
    """Changes with whatever the outcome depends on."""
    workspace, params = Workspace(study.folder), study.params
    config = params.trunk.model_dump(mode="json")
    mode = config["mode"]
    config[mode] = {name: value for name, value in config[mode].items() if name not in _NO_MATTER}
    made = [workspace.version(stage, name) for name in params.silos for stage in ("silo", "features")]
    versions = [version(name) for name in ("uml-pipeline", "torch", "timm", "transformers")]
    return fingerprint_of([params.target, config, made, workspace.version("relevance"), versions])[:16]
