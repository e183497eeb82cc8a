"""Make a model again from what its lineage records, and compare bytes."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from uml_pipeline.cache import FOLDER
from uml_pipeline.errors import UserError
from uml_pipeline.ledger import Ledger
from uml_pipeline.lineage.records import Lineage, read
from uml_pipeline.lineage.verify import Finding, made_by, raw_data
from uml_pipeline.model.folder import CONFIG, HASHED, LABELS, WEIGHTS
from uml_pipeline.pipeline import STAGES, Step, call
from uml_pipeline.study import PARAMS, Study
from uml_pipeline.workspace import read_json, sha256

_OURS = {"artifacts", "registry", PARAMS, "dvc.yaml", "dvc.lock"}  # of a study's folder, what is not its input


@dataclass(frozen=True)
class Reproduction:
    """How the model that was made again differs from the shipped one."""

    differs: list[str]
    """File by file; nothing where all bytes are equal."""
    because: list[Finding]
    """Code and packages that are others than then."""


def reproduce(study: Study, model: Path, starting: Callable[[Step], None] = lambda step: None) -> Reproduction:
    """Run all stages up to the model in a scratch folder, with the recorded parameters and number of threads, on the
    recorded raw data; the study's artifacts, record and caches stay as they are. Raw data that have changed come from
    DVC's cache.

    `starting` is told about every step, for progress.

    Raises:
        UserError: raw data have changed, and DVC's cache has not got them as they were; or a stage cannot run.
    """
    lineage = read(model)
    with _scratch(study, lineage) as folder, _threads(lineage.threads):
        again = Study(folder)
        for step in _steps(again):
            starting(step)
            call(again, step)
        made = folder / "artifacts/model"
        differs = [line for name in HASHED for line in _compared(name, model / name, made / name)]
    return Reproduction(differs, [one for one in made_by(lineage) if one.differs])


def _steps(study: Study) -> Iterator[Step]:
    for stage in STAGES:
        yield from (Step(stage.name, name) for name in study.params.silos) if stage.each else [Step(stage.name)]
        if stage.name == "model":
            return


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """As many as then: with others, on the same machine, the demo's weights differ in the last bit."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _scratch(study: Study, lineage: Lineage) -> Iterator[Path]:
    """A study as it was for the model: everything in the folder by links, parameters and raw data as recorded."""
    folder = study.folder / FOLDER / "reproduce" / f"{lineage.nodes[0].version[:12]}.{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        for entry in study.folder.iterdir():
            if entry.name not in _OURS and not entry.name.startswith("."):
                _link(entry, folder / entry.name)
        params = _params(lineage)
        for name, silo in params["silos"].items():
            silo["path"] = _data(study, lineage, name, silo["path"], folder)
        (folder / PARAMS).write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _params(lineage: Lineage) -> dict[str, Any]:
    """params.yaml as far as the model depends on it. Features are not copied elsewhere a second time."""
    params = {key: value for node in lineage.nodes for key, value in node.params.items() if "." not in key}
    return params | {"features": params.get("features", {}) | {"output": None}}


def _data(study: Study, lineage: Lineage, name: str, path: str, folder: Path) -> str:
    """Where the silo's raw data are as they were: a path for params.yaml.

    Raises:
        UserError: nowhere.
    """
    changed = raw_data(study, lineage, name)
    if not changed:
        outside = "://" not in path and ".." in Path(path).parts
        return str(study.folder / path) if outside else path
    recorded = lineage.data[name]
    place = folder / "restored" / name / Path(path).name
    if recorded.of == "DVC md5" and Ledger(study.folder).recall(recorded.hash, place):
        return place.relative_to(folder).as_posix()
    raise UserError(
        f"the raw data of {name!r} are not those that the model was made from, and DVC's cache has not got them",
        where="; ".join(changed[:3]) + "; …" * (len(changed) > 3),
        fix="put the files back as they were, or `dvc pull` them: see `uml verify`",
    )


def _link(entry: Path, place: Path) -> None:
    try:
        place.symlink_to(entry, target_is_directory=entry.is_dir())
    except OSError:  # Windows lets few people make links
        shutil.copytree(entry, place) if entry.is_dir() else shutil.copyfile(entry, place)


def _compared(name: str, ours: Path, again: Path) -> Iterator[str]:
    """How a file differs, if it does."""
    if sha256(ours) == sha256(again):
        return
    if name == WEIGHTS:
        yield from (f"{name}, {line}" for line in _weights(ours, again))
    if name == LABELS:
        before, now = set(read_json(ours)), set(read_json(again))
        yield f"{name}: {len(before - now)} classes are gone, {len(now - before)} are new"
    if name == CONFIG:
        before, now = read_json(ours), read_json(again)
        keys = [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
        yield f"{name}: other values of {', '.join(keys)}"


def _weights(ours: Path, again: Path) -> Iterator[str]:
    """By how much each tensor differs."""
    from safetensors.numpy import load_file

    before, now = load_file(ours), load_file(again)
    if before.keys() != now.keys():
        yield f"other tensors: {', '.join(sorted(before.keys() ^ now.keys()))}"
    for name in sorted(before.keys() & now.keys()):
        if before[name].shape != now[name].shape:
            yield f"{name}: shape {list(before[name].shape)}, now {list(now[name].shape)}"
        elif difference := float(abs(before[name] - now[name]).max(initial=0)):
            yield f"{name}: differs by up to {difference:.3g}"
