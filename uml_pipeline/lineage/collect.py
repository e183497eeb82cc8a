"""What a model's lineage is, gathered when it is made."""

import platform
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import yaml

from uml_pipeline.lineage.environment import code_of, packages
from uml_pipeline.lineage.records import Data, Git, Lineage, Node
from uml_pipeline.pipeline import SILO, STAGES, Stage, Step
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, fingerprint_of, read_json


def collect(study: Study, model_hash: str) -> dict[str, Any]:
    """The content of lineage.json for the model that is about to be sealed.

    Args:
        study: its trunk, and all before it, must be complete.
        model_hash: the model's own hash (weights, config, labels, preprocessing).

    Raises:
        UserError: a stage before the model has not run yet.
    """
    import torch

    trunk = Workspace(study.folder).reading("trunk")
    lineage = Lineage(
        study=study.folder.name,
        method=read_json(trunk / "metrics.json")["ships"]["method"],
        nodes=_nodes(study, model_hash),
        data={name: _data(study, name) for name in study.params.silos},
        git=_git(study.folder),
        packages=packages(),
        python=platform.python_version(),
        machine=platform.platform(),
        threads=torch.get_num_threads(),
        seeds=study.params.trunk.seeds,
    )
    return lineage.model_dump(mode="json")


def _nodes(study: Study, model_hash: str) -> list[Node]:
    """The model, then every step above it, latest first."""
    names = [stage.name for stage in STAGES]
    wanted = STAGES[: names.index("model") + 1]
    return [
        Node(
            step=step.address,
            version=model_hash if step.stage == "model" else Workspace(study.folder).version(step.stage, step.silo),
            code=code_of(stage),
            params=params_of(study, stage, step.silo),
            inputs=_inputs(study, stage, step.silo),
        )
        for stage in reversed(wanted)
        for step in _steps(study, stage)
    ]


def _steps(study: Study, stage: Stage) -> list[Step]:
    return [Step(stage.name, silo) for silo in study.params.silos] if stage.each else [Step(stage.name)]


def _inputs(study: Study, stage: Stage, silo: str | None) -> list[str]:
    """The steps whose artifacts the stage reads, from the one stage graph."""
    known = {other.name: other for other in STAGES}
    found: list[Step] = []
    for dep in stage.deps:
        match PurePosixPath(dep).parts:
            case ("artifacts", name, last) if last == SILO:
                found.append(Step(name, silo))
            case ("artifacts", name):
                found += _steps(study, known[name])
    return [step.address for step in found]


def params_of(study: Study, stage: Stage, silo: str | None) -> dict[str, Any]:
    """The part of params.yaml that the stage reads, defaults filled in."""
    everything = study.params.model_dump(mode="json")
    chosen = {}
    for key in stage.params:
        name = key.replace(SILO, silo or "")
        value: Any = everything
        for part in name.split("."):
            value = value[part]
        chosen[name] = value
    return chosen


def _data(study: Study, name: str) -> Data:
    """DVC's hash of the raw files as the silo's step recorded it; else one over the samples that were read."""
    path = study.silo(name).path
    if recorded := _recorded(study.folder / "dvc.lock", f"silo@{name}", path):
        return Data(path=path, hash=recorded, of="DVC md5")
    manifest = Workspace(study.folder).reading("silo", name) / "manifest.parquet"
    samples = sorted(pd.read_parquet(manifest, columns=["sample_id"])["sample_id"].astype(str))
    return Data(path=path, hash=fingerprint_of(samples), of="sample ids")


def _recorded(lock: Path, step: str, path: str) -> str | None:
    if not lock.is_file():
        return None
    stages = (yaml.safe_load(lock.read_text(encoding="utf-8")) or {}).get("stages", {})
    deps = stages.get(step, {}).get("deps", [])
    return next((dep.get("md5") for dep in deps if PurePosixPath(dep["path"]) == PurePosixPath(path)), None)


def _git(folder: Path) -> Git | None:
    program = shutil.which("git")
    if program is None:
        return None

    def ask(*words: str) -> str | None:
        # a repository's own configuration may name a program as file-system monitor: none is run for a question
        command = [program, "-C", str(folder), "-c", "core.fsmonitor=false", *words]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        return answer.stdout.strip() if answer.returncode == 0 else None

    commit = ask("rev-parse", "HEAD")
    # the run itself rewrites dvc.lock, which says nothing about code or parameters
    changes = ask("status", "--porcelain", "--untracked-files=no", "--", ":(top)", ":(top,exclude,glob)**/dvc.lock")
    return Git(commit=commit, dirty=bool(changes)) if commit else None
