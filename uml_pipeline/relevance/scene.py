"""What the predictive test looks at: the target's samples off its test split, draws of them, bridges, and silos."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from uml_pipeline.features import read_config, read_features
from uml_pipeline.learn.geometry import Array, centre_of, means_of, standardise, whitening
from uml_pipeline.learn.quick import Draw, Hint, Quick
from uml_pipeline.learn.splits import Rows, first_of
from uml_pipeline.study import Study

_DRAWS = 24
_ASKED = 12, 1000  # samples a class, and about so many in all, that a draw asks
_WIDEST = 512  # numbers of a feature vector; wider ones are turned into their leading directions


@dataclass(frozen=True, eq=False)
class Side:
    """A silo's samples."""

    name: str
    rows: pd.DataFrame  # its manifest
    x: Array  # [n, d]
    space: str
    modality: str

    @classmethod
    def read(cls, study: Study, name: str) -> "Side":
        """From artifacts.

        Raises:
            UserError: an artifact is missing.
        """
        rows, x = read_features(study, name)
        return cls(name, rows.reset_index(drop=True), x, read_config(study, name)["space"], study.silo(name).modality)

    @property
    def labels(self) -> pd.Series:
        """Class of each sample, or none: [n]."""
        return self.rows["label"]

    @property
    def labelled(self) -> "Side":
        """Its samples that have a label."""
        return self.where(self.labels.notna())

    def off(self, split: str) -> "Side":
        """Without one side of the split."""
        return self.where(self.rows["split"] != split)

    def without(self, samples: "set[str]") -> "Side":
        """Without some samples."""
        return self.where(~self.rows["sample_id"].isin(samples)) if samples else self

    def where(self, kept: "pd.Series[bool]") -> "Side":
        """Some of its rows."""
        return replace(self, rows=self.rows[kept].reset_index(drop=True), x=self.x[kept.to_numpy()])

    def bridges(self, target: "Side") -> bool:
        """Whether it holds samples like the target's: the same modality, seen by the same encoder."""
        return (self.modality, self.space) == (target.modality, target.space)


class Scene:
    """A target and some bridges: all that a silo's class means have to meet."""

    def __init__(self, target: Side, bridges: Sequence[Side], shots: int) -> None:
        """All have labels. `shots`: samples a class that a draw learns from."""
        self._space = target.space
        own = sorted(target.labels.unique())
        beyond = {label for one in bridges for label in one.labels}
        self.classes = [*own, *sorted(beyond.difference(own))]
        x = np.concatenate([target.x, *(one.x for one in bridges)])
        x = standardise(x, centre_of(target.x))
        y = self._index(pd.concat([target.labels, *(one.labels for one in bridges)]))
        self._turn = _turn(x, y, bool(bridges))
        bridge = np.arange(len(target.x), len(x))
        draws = list(_draws(y[: len(target.x)], target.rows["group"], shots))
        self.quick = Quick(torch.from_numpy(self._turned(x)), y, len(own), bridge, draws)

    def hint(self, silo: Side) -> Hint:
        """What a silo of another modality or encoder says of the classes."""
        y = self._index(silo.labels)
        x, y = silo.x[y >= 0], y[y >= 0]
        x = standardise(x, centre_of(x)) if len(x) else x
        aligned = silo.space == self._space
        if aligned:
            x = self._turned(x)
        means, counts = means_of(x, y, len(self.classes))
        there = counts > 0
        if there.any():
            means[there] -= means[there].mean(0)
            means /= max(np.sqrt((means[there] ** 2).sum(1).mean()), np.finfo(np.float32).tiny)
        return Hint(torch.from_numpy(means), aligned)

    def _index(self, labels: pd.Series) -> Rows:
        return pd.Index(self.classes).get_indexer(pd.Index(labels)).astype(np.int64)

    def _turned(self, x: Array) -> Array:
        return x if self._turn is None else x @ self._turn


def _turn(x: Array, y: Rows, whiten: bool) -> Array | None:
    """Into coordinates that are fewer where features are wide, and where samples scatter alike if a bridge tells:
    [d, coordinate].
    """
    turn = None
    if x.shape[1] > _WIDEST:
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            turn = torch.svd_lowrank(torch.from_numpy(x), _WIDEST)[2].numpy()
            x = x @ turn
    if not whiten:
        return turn
    means, counts = means_of(x, y, int(y.max()) + 1)
    white = whitening(x - means[y], len(y) - len(counts))
    return white if turn is None else turn @ white


def _draws(y: Rows, groups: pd.Series, shots: int) -> Iterator[Draw]:
    """A few samples of each class to learn from, others to ask; where there are groups, of another group."""
    most = max(1, min(_ASKED[0], _ASKED[1] // (int(y.max()) + 1)))
    names, rows = sorted(groups.dropna().unique()), np.arange(len(y))
    for number in range(_DRAWS):
        draw = np.random.default_rng([number, 11])
        if len(names) >= 2:
            other = (groups == names[number % len(names)]).to_numpy()
            train, asked = first_of(rows[~other], y, shots, draw), rows[other]
        else:
            train = first_of(rows, y, shots, draw)
            asked = np.setdiff1d(rows, train)
        yield Draw(train, first_of(asked, y, most, draw))
