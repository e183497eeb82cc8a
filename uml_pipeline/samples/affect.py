"""Silos of the affect pickles of MultiBench: CMU-MOSI, CMU-MOSEI, UR-FUNNY, MUStARD."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.samples._cells import named, numbers, place_in, row_number
from uml_pipeline.samples._unpickling import as_array, load_pickle
from uml_pipeline.samples.container import SPLIT_NAMES, Container, Entry
from uml_pipeline.silo.config import SiloConfig

_MODALITIES = ("vision", "audio", "text")
_STEPS = 50  # of a sequence at most, as in MultiBench
_SEGMENT = re.compile(r"\$_\$|\[\d+\]$")  # after the name of the video: `video$_$3`, `video[3]`


@dataclass(frozen=True)
class _Split:
    steps: np.ndarray  # [sample, step, channel]
    starts: np.ndarray  # [sample]: the first step; behind the last where the text is empty
    labels: np.ndarray  # [sample]: numbers, NaN where there is none
    groups: list[object]  # [sample]

    def sequence(self, row: int) -> np.ndarray:
        return self.steps[row, self.starts[row] :][:_STEPS]


class AffectContainer(Container):
    """One modality of such a pickle, as sequences; the pickle is read as data and never executed.

    A sequence begins where its text does (where the modality itself does, if the two have not as many steps), and has
    at most 50 steps. Labels that are all -1, 0 or 1 (sarcasm, humour) are the classes "0" (also for -1) and "1"; others
    are sentiments: "positive" from 0 on, or else "negative". Groups are the videos that the segments are cut from.
    """

    def __init__(self, config: SiloConfig, source: Path) -> None:
        """Raises:
        UserError: not such a pickle, or it does not have what the configuration names.
        """
        super().__init__(config, source)
        if config.modality != "series":
            raise self._unfit("a MultiBench pickle holds series", "write `modality: series` in params.yaml")
        content = load_pickle(source)
        if not isinstance(content, dict) or not content or any(name not in SPLIT_NAMES for name in content):
            raise self._unfit("not a MultiBench pickle", f"its keys must be of {', '.join(SPLIT_NAMES)}")
        self._splits = {name: self._split(name, arrays) for name, arrays in content.items()}
        labels = np.concatenate([split.labels for split in self._splits.values()])
        self._binary = np.isin(labels[~np.isnan(labels)], (-1, 0, 1)).all()

    def entries(self) -> Iterator[Entry]:
        """All splits in their order in the pickle."""
        for name, split in self._splits.items():
            for row in range(len(split.steps)):
                entry: Entry = {"path": f"{self.config.path}#{name}/{row}", "split": name}
                if not (split.sequence(row) != 0).any():  # a NaN that signals would warn if it were cast to a truth
                    entry["bad"] = "the sequence is empty"
                yield named(entry, label=self._name(split.labels[row]), group=split.groups[row])

    def read(self, path: str) -> np.ndarray:
        """The sequence, float32 [step, channel]."""
        name, _, row = place_in(path, self.config).partition("/")
        if name not in self._splits:
            raise UserError("the split is not there", where=path, fix="run the stage `silo` again")
        split = self._splits[name]
        return numbers(split.sequence(row_number(row, len(split.steps), path)), "series")

    def _name(self, label: float) -> str | None:
        if np.isnan(label):
            return None
        if self._binary:
            return "1" if label > 0 else "0"
        return "positive" if label >= 0 else "negative"

    def _split(self, name: str, arrays: Any) -> _Split:
        if not isinstance(arrays, dict):
            raise self._unfit("not a MultiBench pickle", f"its split {name!r} must hold arrays by name")
        steps = self._sequences(arrays, self._modality(arrays))
        text = self._sequences(arrays, "text") if "text" in arrays else steps
        labels, groups = self._labels(arrays, len(steps)), self._groups(arrays, len(steps))
        if not len(steps) == len(text) == len(labels) == len(groups):
            raise self._unfit("arrays of unequal length", f"save the split {name!r} again")
        return _Split(steps, _starts(text, steps), labels, groups)

    def _modality(self, arrays: dict) -> str:
        there = [name for name in _MODALITIES if name in arrays]
        if self.config.array in there or (self.config.array is None and len(there) == 1):
            return self.config.array or there[0]
        what = f"no modality {self.config.array!r} in the pickle" if self.config.array else "which modality is not said"
        raise self._unfit(what, f"write `array:` in params.yaml, and one of: {', '.join(there)}")

    def _sequences(self, arrays: dict, name: str) -> np.ndarray:
        array = as_array(arrays[name], f"{self.source}: {name}")
        if array.ndim != 3 or array.dtype.kind not in "biuf" or 0 in array.shape[1:]:
            raise self._unfit(f"{name} is not an array of numbers [sample, step, channel]", "save it as one")
        return array

    def _labels(self, arrays: dict, rows: int) -> np.ndarray:
        if self.config.label is None:
            return np.full(rows, np.nan)
        array = self._column(arrays, self.config.label if self.config.label in arrays else "labels", "label")
        try:
            return array.reshape(len(array)).astype(np.float64)
        except (TypeError, ValueError):
            raise self._unfit("the labels are not one number a sample", "correct `label` in params.yaml") from None

    def _groups(self, arrays: dict, rows: int) -> list[object]:
        if self.config.group is None:
            return [None] * rows
        array = self._column(arrays, self.config.group, "group")
        if 0 in array.shape[1:]:
            raise self._unfit("the groups are empty", "correct `group` in params.yaml")
        while array.ndim > 1:
            array = array[:, 0]  # ids of MOSEI: video, start, end
        return [_video(name) for name in array.tolist()]

    def _column(self, arrays: dict, name: str, role: str) -> np.ndarray:
        if name not in arrays:
            there = ", ".join(sorted(map(str, arrays)))
            raise self._unfit(f"no {role} array {name!r}", f"correct `{role}` in params.yaml; there are: {there}")
        return np.atleast_1d(as_array(arrays[name], f"{self.source}: {name}"))

    def _unfit(self, what: str, fix: str) -> UserError:
        return UserError(what, where=str(self.source), fix=fix)


def _video(name: object) -> object:
    name = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
    return _SEGMENT.split(name)[0] if isinstance(name, str) else name


def _starts(text: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The first step that is not all zero."""
    said = ((text if text.shape[1] == steps.shape[1] else steps) != 0).any(2)  # [sample, step]
    return np.where(said.any(1), said.argmax(1), said.shape[1])
