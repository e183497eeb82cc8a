"""A silo's features in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from uml_pipeline.features import read_config
from uml_pipeline.learn.geometry import Array
from uml_pipeline.study import Study
from uml_pipeline.trunk.admission import learnt_from


@dataclass(frozen=True)
class Silo:
    """One silo in memory: its rows, features [n, d], the space that the features lie in, and its modality."""

    name: str
    manifest: pd.DataFrame
    x: Array
    space: str
    modality: str

    @classmethod
    def read(cls, study: Study, name: str) -> "Silo":
        """From the artifacts of `silo` and `features`, without the samples that `relevance` has set aside."""
        manifest, x = learnt_from(study, name)
        return cls(name, manifest, x, read_config(study, name)["space"], study.silo(name).modality)

    def index(self, classes: Sequence[str]) -> NDArray[np.int64]:
        """Class number of each row, -1 where the label is not one of `classes`."""
        return pd.Index(classes).get_indexer(pd.Index(self.manifest["label"])).astype(np.int64)

    def bridges(self, target: "Silo") -> bool:
        """Whether it holds samples like the target's: the same modality, seen by the same encoder."""
        return self.modality == target.modality and self.space == target.space
