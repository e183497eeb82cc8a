"""What a model recognises that it has not learnt from: the gate, or samples left out in cross-validation.

As a table with a row a sample: `sample_id`, `label`, and `correct`, the share of times that it was recognised.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from uml_pipeline.features.samples import Samples
from uml_pipeline.learn.splits import Rows, held_out
from uml_pipeline.silo.manifest import read_gate
from uml_pipeline.workspace import Workspace, read_json

if TYPE_CHECKING:
    from uml_pipeline.study import Study
    from uml_pipeline.trunk.compare import Inputs

FOLDS, REPEATS = 5, 2
_AT_ONCE = 512  # samples in memory


def on_gate(study: "Study", model: Path) -> pd.DataFrame:
    """What a model's folder recognises of the gate's raw samples, by its own encoder; no row where there is no gate.

    Raises:
        UserError: a sample cannot be read or was changed, or the folder is no model's.
    """
    from uml_pipeline.model import UnimodalModel

    rows = read_gate(study).drop_duplicates("sample_id").reset_index(drop=True)
    if not len(rows):
        return rows[["sample_id", "label"]].assign(correct=0.0)
    opened, labels = UnimodalModel.load(model), list[str]()
    samples = Samples.of(study, study.target, rows)
    for start in range(0, len(rows), _AT_ONCE):
        labels += opened.predict(samples[start : start + _AT_ONCE]).tolist()
    return rows[["sample_id", "label"]].assign(correct=(rows["label"] == labels).astype(float))


def by_folds(study: "Study") -> pd.DataFrame | None:
    """What the shipped recipe recognises of the samples that training leaves out, in turn; the test split is not looked
    at. None in modes whose training would take too long so many times, or where there are too few samples.

    Raises:
        UserError: an artifact is missing.
    """
    if study.params.trunk.mode != "probe":
        return None
    from uml_pipeline.trunk.compare import gather

    inputs = gather(study)
    y = inputs.target.index(inputs.classes)
    rows = np.setdiff1d(np.flatnonzero(y >= 0), held_out(inputs.target.manifest))
    known = inputs.target.manifest.iloc[rows][["sample_id", "label"]]
    seen = [
        known.iloc[left].assign(correct=_recognised(study, inputs, rows[learnt], rows[left]))
        for learnt, left in _folds(inputs.target.manifest.iloc[rows])
    ]
    if not seen:
        return None
    return pd.concat(seen).groupby(["sample_id", "label"])["correct"].mean().reset_index()


def _folds(manifest: pd.DataFrame) -> Iterator[tuple[Rows, Rows]]:
    """Places to learn from and to leave out. Copies of a sample, and samples of a group, are left out together."""
    from sklearn.model_selection import StratifiedGroupKFold

    labels = manifest["label"]
    groups = manifest["group"] if manifest["group"].notna().all() else manifest["sample_id"]
    folds = min(FOLDS, groups.nunique(), labels.value_counts().max())
    if folds < 2:
        return
    for repeat in range(REPEATS):
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=repeat)
        with warnings.catch_warnings():  # of classes with fewer samples than folds: they are not in every fold
            warnings.simplefilter("ignore", UserWarning)
            yield from splitter.split(labels, labels, groups)


def _recognised(study: "Study", inputs: "Inputs", learnt: Rows, left: Rows) -> np.ndarray:
    """Which rows the shipped recipe recognises when it has learnt from others: float [left]."""
    from uml_pipeline.trunk.arms import Setting, Trained
    from uml_pipeline.trunk.problem import build

    told = read_json(Workspace(study.folder).reading("trunk") / "config.json")["ships"]
    arm = next(one for one in inputs.lineup if one.name == told["method"])
    look = (told["steps"] - 1) // arm.budget.every if isinstance(arm, Trained) else 0
    problem = build(inputs.target, inputs.auxiliary, inputs.classes, learnt, learnt[:0], seed=0)
    head = arm.refit(problem, Setting(**told["setting"]), look)
    asked = problem.look_at(inputs.target.x[left], inputs.target.index(inputs.classes)[left])
    return ((asked.x @ head.T).argmax(1) == asked.y).double().numpy()
