"""Folders of `datasets.save_to_disk`: checked, memory-mapped, and read column by column without decoding."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uml_pipeline.errors import UserError
from uml_pipeline.samples.tree import OUTSIDE

if TYPE_CHECKING:
    from datasets import Dataset

_NAME = re.compile(r"\w[\w.-]*")
_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"  # of every whole Arrow stream
_FIX = "save it again with save_to_disk, or correct `path` in params.yaml"
_NUMBERS = re.compile(r"bool|u?int\d+|float\d+|double")
_DEPTHS = {1: "vector", 2: "series"}


class Saved:
    """One dataset: its rows as they are stored."""

    def __init__(self, dataset: "Dataset", folder: Path) -> None:
        from datasets import ClassLabel

        self.rows: int = dataset.num_rows
        self.kinds = {name: _kind(feature) for name, feature in dataset.features.items()}
        self.names: dict[str, list[str]] = {
            name: feature.names for name, feature in dataset.features.items() if isinstance(feature, ClassLabel)
        }
        self._table, self._folder = dataset.data.table, folder

    def cells(self, column: str | None, start: int, stop: int) -> list[Any]:
        """Some rows of a column (None: nothing but None); classes by their names."""
        if column is None:
            return [None] * (stop - start)
        cells = self._table.column(column).slice(start, stop - start).to_pylist()
        return [_name(cell, self.names[column]) for cell in cells] if column in self.names else cells

    def one(self, kind: str, named: str | None) -> str:
        """The named column, or the only one of that kind.

        Raises:
            UserError: it is not there or of another kind, or there is none or more than one.
        """
        if named is not None:
            self.require(named, kind)
        found = [name for name, its in self.kinds.items() if its == kind and named in (None, name)]
        if len(found) == 1:
            return found[0]
        raise self._unfit(
            f"column {named!r} holds no {kind}" if named else f"not one column of {kind}, but {len(found)}"
        )

    def require(self, column: str | None, role: str) -> None:
        """Check that a column (None: not wanted) is there.

        Raises:
            UserError: naming the columns that exist.
        """
        if column is not None and column not in self.kinds:
            raise self._unfit(f"no {role} column {column!r}")

    def _unfit(self, what: str) -> UserError:
        columns = ", ".join(f"{name} ({kind})" for name, kind in self.kinds.items())
        return UserError(what, where=str(self._folder), fix=f"name another one in params.yaml; there are: {columns}")


def load_saved(source: Path) -> dict[str, Saved]:
    """The datasets in a folder by their splits; a single one under "". Their rows stay on the disk.

    Raises:
        UserError: no such folder, or a part of it is missing, damaged or outside it.
    """
    if not (source / "dataset_dict.json").is_file():
        return {"": _load(source, source)}
    splits = _read(source / "dataset_dict.json").get("splits")
    if not isinstance(splits, list) or not splits or not all(isinstance(name, str) for name in splits):
        raise _damaged("the dataset names no splits", source / "dataset_dict.json")
    return {name: _load(_inside(source, source, name), source) for name in splits}


def _load(folder: Path, source: Path) -> Saved:
    files = _read(folder / "state.json").get("_data_files")
    if not isinstance(files, list) or not files or not all(isinstance(file, dict) for file in files):
        raise _damaged("the dataset names no files", folder / "state.json")
    for file in files:
        _check_whole(_inside(source, folder, file.get("filename")))
    from datasets import Dataset

    try:
        dataset = Dataset.load_from_disk(str(folder), keep_in_memory=False).with_format(None)
        dataset.data.table.validate(full=True)  # what Arrow finds later may end the process
    except Exception as error:  # of damaged JSON and Arrow: of any kind
        raise _damaged("the dataset cannot be read", f"{folder}: {error!r:.300}") from None
    return Saved(dataset, folder)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise _damaged("a part of the dataset is missing", file) from None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged("the dataset cannot be read", f"{file}: {error}") from None
    if not isinstance(content, dict):
        raise _damaged("the dataset cannot be read", file)
    return content


def _inside(source: Path, folder: Path, name: Any) -> Path:
    """A part of the dataset by the name that its JSON gives."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _damaged("a part of the dataset has no plain name", f"{folder}: {name!r}")
    if not (folder / name).resolve().is_relative_to(source.resolve()):
        raise _damaged(OUTSIDE, folder / name)
    return folder / name


def _check_whole(file: Path) -> None:
    """A file cut between two batches would pass for a shorter one."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - len(_END)))
            end = stream.read()
    except OSError:
        raise _damaged("a part of the dataset is missing", file) from None
    if end != _END:
        raise _damaged("a part of the dataset is truncated", file)


def _kind(feature: Any) -> str:
    """image, audio, text, cell (other single values), vector, series, or what cannot be a sample: other."""
    from datasets import Audio, ClassLabel, Image, Value

    if isinstance(feature, Image | Audio):
        return type(feature).__name__.lower()
    if isinstance(feature, Value):
        return "text" if "string" in feature.dtype else "cell"
    return "cell" if isinstance(feature, ClassLabel) else _DEPTHS.get(_depth(feature), "other")


def _depth(feature: Any) -> int:
    """Dimensions of an array of numbers; below 0 of anything else."""
    from datasets import Array2D, LargeList, List, Value

    if isinstance(feature, List | LargeList):
        return 1 + _depth(feature.feature)
    if isinstance(feature, Array2D):
        return 2 if _NUMBERS.fullmatch(feature.dtype) else -9
    return 0 if isinstance(feature, Value) and _NUMBERS.fullmatch(feature.dtype) else -9


def _name(number: int | None, names: list[str]) -> str | float | None:
    if number is None or number == -1:  # as datasets notes what is not known
        return None
    return names[number] if 0 <= number < len(names) else float(number)  # no name, then


def _damaged(what: str, where: object) -> UserError:
    return UserError(what, where=str(where), fix=_FIX)
