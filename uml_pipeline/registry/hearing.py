"""What is put before the judge: a challenger, the champion, and samples that neither has learnt from."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from uml_pipeline.registry.book import HITS
from uml_pipeline.registry.evidence import by_folds, on_gate
from uml_pipeline.registry.judgement import Judgement, judge
from uml_pipeline.registry.records import Ground, Release
from uml_pipeline.silo.manifest import GATE
from uml_pipeline.workspace import read_json

if TYPE_CHECKING:
    from uml_pipeline.study import Study

_NO_GROUND = Judgement(
    "nothing",
    None,
    0,
    "nothing is left to compare it with the champion on: give the target a `gate`, then release one model with --force",
)


@dataclass(frozen=True, eq=False)
class Heard:
    """What a challenger recognises, on which ground, and how that compares with the champion, if there is one."""

    ground: Ground
    hits: pd.DataFrame | None
    judgement: Judgement | None

    def numbers(self) -> dict[str, Any]:
        """What a decision keeps: of the comparison, or of the challenger alone."""
        accuracy = None if self.hits is None else 100 * float(self.hits["correct"].mean())
        if self.judgement:
            found = self.judgement
            return {"judged_on": found.ground, "samples": found.samples, "gain": found.gain, "accuracy": accuracy}
        return {"judged_on": self.ground, "samples": 0 if self.hits is None else len(self.hits), "accuracy": accuracy}


def hear(study: "Study", champion: Release | None, model: Path) -> Heard:
    """Measure the challenger, on the gate where that can be, and compare it with the champion.

    A gate that the champion has learnt from, because it is younger than the champion, would be for it: its samples do
    not count then.

    Raises:
        UserError: the gate's samples, or one of the models, cannot be read.
    """
    gate = on_gate(study, model)
    if champion:
        gate = gate[~gate["sample_id"].isin(_learnt(study, champion))]
    hits = by_folds(study) if gate.empty else gate
    ground: Ground = "nothing" if hits is None else "cross-validation" if gate.empty else "gate"
    return Heard(ground, hits, _compared(study, champion, model, ground, hits) if champion else None)


def objection(champion: Release, model: Path) -> str | None:
    """Why the challenger cannot take the champion's place, however good it is."""
    then, now = _modality(champion.folder), _modality(model)
    if then != now:
        return f"the champion's samples are of modality {then}, its own of modality {now}"
    if lost := sorted(_labels(champion.folder) - _labels(model)):
        some = ", ".join(repr(one) for one in lost[:5])
        return f"it no longer knows {len(lost)} of the champion's classes: {some}{', …' * (len(lost) > 5)}"
    return None


def _compared(
    study: "Study", champion: Release, model: Path, ground: Ground, hits: pd.DataFrame | None
) -> Judgement | None:
    if _modality(champion.folder) != _modality(model):
        return None
    if ground == "gate" and hits is not None:
        theirs = on_gate(study, champion.folder)
    elif hits is not None and (champion.record / HITS).is_file():
        theirs = pd.read_parquet(champion.record / HITS)
    else:
        return _NO_GROUND
    shared = _labels(champion.folder) & _labels(model)
    return judge(hits, theirs, ground, shared, study.params.promotion.margin)


def _learnt(study: "Study", champion: Release) -> set[str]:
    """Ids of the samples that the champion was made from: all but those that were its gate and test split."""
    ids: set[str] = set()
    for path in champion.record.glob("*.parquet"):
        if path.name != HITS:
            rows = pd.read_parquet(path, columns=["sample_id", "split"])
            unseen = [GATE, "test"] if path.stem == study.target else []
            ids |= set(rows.loc[rows["split"].notna() & ~rows["split"].isin(unseen), "sample_id"])
    return ids


def _labels(folder: Path) -> set[str]:
    return set(read_json(folder / "labels.json"))


def _modality(folder: Path) -> str:
    modality: str = read_json(folder / "config.json")["modality"]
    return modality
