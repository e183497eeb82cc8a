"""Data under `dvc add`: git has a small .dvc file that says which data belong there."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from uml_pipeline.errors import UserError
from uml_pipeline.study import Study


@dataclass(frozen=True)
class Pointer:
    """A .dvc file: where it is, the hash of the data it asks for, and whether it tracks the silo alone."""

    path: Path
    md5: str
    alone: bool


def pointer_of(study: Study, silo: str) -> Pointer | None:
    """The .dvc file of a silo's data, or of the folder inside the study that holds them; None without one.

    Raises:
        UserError: it cannot be read.
    """
    if "://" in study.silo(silo).path:
        return None
    data = study.data(silo)
    inside = [folder for folder in data.parents if folder != study.folder and folder.is_relative_to(study.folder)]
    for tracked in (data, *inside):
        path = tracked.with_name(f"{tracked.name}.dvc")
        if path.is_file():
            return Pointer(path, _hash(path), alone=tracked == data)
    return None


def _hash(path: Path) -> str:
    try:
        (out,) = yaml.safe_load(path.read_text(encoding="utf-8"))["outs"]
        return str(out["md5"])
    except (yaml.YAMLError, KeyError, TypeError, ValueError):
        fix = "solve git's conflict in it, or `dvc add` the data again"
        raise UserError("this .dvc file cannot be read", where=str(path), fix=fix) from None
