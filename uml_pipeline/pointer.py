"""Data under `dvc add`: git has a small .dvc file that says which data belong there."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from uml_pipeline.study import Study


@dataclass(frozen=True)
class Pointer:
    """A .dvc file: where it is, the hash of the data it asks for, and whether it tracks the silo alone."""

    path: Path
    md5: str
    alone: bool


def pointer_of(study: Study, silo: str) -> Pointer | None:
    """The .dvc file of a silo's data, or of the folder inside the study that holds them; None without one."""
    if "://" in study.silo(silo).path:
        return None
    data = study.data(silo)
    inside = [folder for folder in data.parents if folder != study.folder and folder.is_relative_to(study.folder)]
    for tracked in (data, *inside):
        path = tracked.with_name(f"{tracked.name}.dvc")
        if path.is_file():
            (out,) = yaml.safe_load(path.read_text(encoding="utf-8"))["outs"]
            return Pointer(path, out["md5"], alone=tracked == data)
    return None
