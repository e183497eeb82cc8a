"""A silo's samples as a sequence that opens each when it is asked for."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self, overload

from uml_pipeline.errors import UserError
from uml_pipeline.samples import Opener, Sample
from uml_pipeline.samples.files import read_bytes
from uml_pipeline.silo.manifest import CONTENT, sample_id

if TYPE_CHECKING:
    import pandas as pd

    from uml_pipeline.study import Study


class Lazy(Sequence[Sample]):
    """Samples that are made when they are asked for, in the thread that asks."""

    @abstractmethod
    def one(self, at: int) -> Sample:
        """The sample at this place."""

    @overload
    def __getitem__(self, at: int) -> Sample: ...
    @overload
    def __getitem__(self, at: slice) -> list[Sample]: ...
    def __getitem__(self, at: int | slice) -> Sample | list[Sample]:
        if isinstance(at, slice):
            return [self.one(place) for place in range(*at.indices(len(self)))]
        return self.one(at)


class Samples(Lazy):
    """Samples opened in the thread that asks; their `ids`, and their `names` in the manifest, are at hand.

    Asking raises UserError where a sample is not there, or is not the one that the manifest lists: its vector would
    stay in the encode cache under a wrong name.
    """

    def __init__(self, opener: Opener, ids: list[str], names: list[str]) -> None:
        self.opener, self.ids, self.names = opener, ids, names

    @classmethod
    def of(cls, study: "Study", name: str, rows: "pd.DataFrame") -> Self:
        """The samples of a silo's manifest rows."""
        config = study.silo(name)
        names = rows[CONTENT[config.modality]].tolist()
        return cls(Opener(config, study.folder), rows["sample_id"].tolist(), names)

    def take(self, places: Sequence[int]) -> "Samples":
        """Some of them."""
        return Samples(self.opener, [self.ids[at] for at in places], [self.names[at] for at in places])

    def __len__(self) -> int:
        return len(self.ids)

    def one(self, at: int) -> Sample:
        """See Lazy."""
        identity, name = self.ids[at], self.names[at]
        sample = self.opener(name)
        if isinstance(sample, Path):
            sample = read_bytes(sample)[0]
        if sample_id(sample) != identity:
            fix = "look at it anew: `uml run`, or `uml silo` and this stage again"
            raise UserError("the silo has changed since its manifest was made", where=name, fix=fix)
        return sample
