"""Where a model comes from: the steps above it, their hashes, parameters and code, down to the raw data."""

import json
import platform
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator
from rich.text import Text
from rich.tree import Tree

from uml_pipeline.errors import UserError
from uml_pipeline.pipeline import SILO, STAGES, Stage, Step
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, fingerprint_of, read_json, sha256

FILE = "lineage.json"
PACKAGES = ("torch", "numpy", "timm", "transformers", "dagster", "dvc", "uml-pipeline")
_SOURCES = {".py", ".html", ".css", ".js", ".safetensors"}

# a shipped model may come from a stranger: only what is printed as it is needs a form that cannot carry terminal codes
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{4,128}(\.dir)?$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_@.+!-]{0,99}$")]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Node(_Record):
    """One step: what it made, with which code and parameters, from which other steps."""

    step: Name
    version: Hash
    code: Hash
    params: dict[Name, Any]
    inputs: list[Name]


class Git(_Record):
    """The commit that the study stands at; `dirty` if a tracked file differs from it."""

    commit: Hash
    dirty: bool


class Data(_Record):
    """A silo's raw data."""

    path: str
    hash: Hash
    of: Literal["DVC md5", "sample ids"]


class Lineage(_Record):
    """lineage.json. Each node stands before its inputs; the first is the model."""

    study: str
    method: Name
    nodes: list[Node]
    data: dict[Name, Data]
    git: Git | None
    packages: dict[Name, Name | None]
    python: Name
    machine: str
    seeds: int

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        later: set[str] = set()
        for node in reversed(self.nodes):
            if not set(node.inputs) <= later:
                raise ValueError(f"step {node.step!r} stands after one of its inputs, or an input is missing")
            later.add(node.step)
        if not self.nodes or self.nodes[0].step != "model":
            raise ValueError("the first node must be the model")
        return self


@dataclass(frozen=True)
class Branch:
    """A node with what it was made from. A step that reaches a node by a longer way is not drawn above it twice."""

    node: Node
    params: list[str]
    """The node's parameters, without those that a step above it read before, and without empty ones."""
    data: Data | None
    """The raw files, where the node reads some."""
    inputs: list["Branch"]


def collect(study: Study, model_hash: str) -> dict[str, Any]:
    """The content of lineage.json for the model that is about to be sealed.

    Args:
        study: its trunk, and all before it, must be complete.
        model_hash: the model's own hash (weights, config, labels, preprocessing).

    Raises:
        UserError: a stage before the model has not run yet.
    """
    trunk = Workspace(study.folder).reading("trunk")
    lineage = Lineage(
        study=study.folder.name,
        method=read_json(trunk / "metrics.json")["ships"]["method"],
        nodes=_nodes(study, model_hash),
        data={name: _data(study, name) for name in study.params.silos},
        git=_git(study.folder),
        packages={name: _installed(name) for name in PACKAGES},
        python=platform.python_version(),
        machine=platform.platform(),
        seeds=study.params.trunk.seeds,
    )
    return lineage.model_dump(mode="json")


def read(model: Path) -> Lineage:
    """The lineage of a shipped model.

    Raises:
        UserError: no such folder, no lineage.json in it, or a malformed one.
    """
    path = model / FILE
    if not path.is_file():
        fix = "name the folder of a shipped model, such as artifacts/model"
        raise UserError(f"no {FILE} here", where=str(model), fix=fix)
    try:
        return Lineage.model_validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"]) or "the whole file"
        where, fix = f"{path}, {place!r}", "make the model again: `uml model`"
        raise UserError(f"{FILE} is malformed: {problem['msg']}", where=where, fix=fix) from None


def branches(lineage: Lineage) -> Branch:
    """The graph as a tree under the model."""
    nodes = {node.step: node for node in lineage.nodes}
    above: dict[str, set[str]] = {}
    for node in reversed(lineage.nodes):
        above[node.step] = set(node.inputs).union(*(above[step] for step in node.inputs))

    def grow(node: Node) -> Branch:
        longer = set().union(*(above[step] for step in node.inputs)) if node.inputs else set()
        direct = [nodes[step] for step in node.inputs if step not in longer]
        step = Step.parse(node.step)
        data = lineage.data.get(step.silo) if step.stage == "silo" and step.silo else None
        told = {_section(key) for other in above[node.step] for key in nodes[other].params}
        params = [f"{key}: {_brief(value)}" for key, value in node.params.items() if _section(key) not in told]
        return Branch(node, params, data, [grow(below) for below in direct])

    return grow(lineage.nodes[0])


def tree(model: Path) -> Tree:
    """The lineage of a shipped model, to be printed.

    Raises:
        UserError: the folder is no model's, or its lineage.json is malformed.
    """
    lineage = read(model)
    root = _twig(branches(lineage), f" ({lineage.method})")
    about = root.add(Text("made by"))
    if lineage.git:
        changed = ", with changes that are not committed" if lineage.git.dirty else ""
        about.add(Text(f"git commit {lineage.git.commit[:12]}{changed}"))
    installed = [f"{name} {found}" for name, found in {"python": lineage.python, **lineage.packages}.items() if found]
    about.add(Text(", ".join(installed)))
    about.add(Text(f"study {lineage.study!r}, {lineage.seeds} splits, on {lineage.machine!r}"))
    return root


def _section(key: str) -> str:
    return key.partition(".")[0]


def _brief(value: Any) -> str:
    """As JSON, which escapes control characters."""
    return json.dumps(
        {key: part for key, part in value.items() if part is not None} if isinstance(value, dict) else value
    )


def _twig(branch: Branch, note: str = "", parent: Tree | None = None) -> Tree:
    node = branch.node
    label = Text.assemble((node.step, "bold"), note, f"  {node.version[:12]}  ", (f"code {node.code[:12]}", "dim"))
    for line in branch.params:
        label.append(f"\n{line}", "dim")
    twig = parent.add(label) if parent is not None else Tree(label)
    for below in branch.inputs:
        _twig(below, parent=twig)
    if branch.data:
        raw = branch.data
        twig.add(Text.assemble((repr(raw.path), "bold"), f"  {raw.hash[:12]}  ", (raw.of, "dim")))
    return twig


def code_version(room: str) -> str:
    """Hash of a room's source files in the installed package: names and bytes, in no particular order."""
    folder = Path(__file__).parent / room
    if not folder.is_dir():
        raise ValueError(f"no room {room!r} in {folder.parent}")
    files = (path for path in folder.rglob("*") if path.suffix in _SOURCES and "__pycache__" not in path.parts)
    return fingerprint_of({path.relative_to(folder).as_posix(): sha256(path) for path in files})


def _nodes(study: Study, model_hash: str) -> list[Node]:
    """The model, then every step above it, latest first."""
    names = [stage.name for stage in STAGES]
    wanted = STAGES[: names.index("model") + 1]
    return [
        Node(
            step=step.address,
            version=model_hash if step.stage == "model" else Workspace(study.folder).version(step.stage, step.silo),
            code=_code(stage),
            params=_params(study, stage, step.silo),
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


def _params(study: Study, stage: Stage, silo: str | None) -> dict[str, Any]:
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


def _code(stage: Stage) -> str:
    if not stage.code:
        return code_version(stage.name)
    return fingerprint_of({room: code_version(room) for room in (stage.name, *stage.code)})


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


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
