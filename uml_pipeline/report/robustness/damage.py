"""What a kind of damage is; each modality has its own. Whatever is drawn at random is drawn by sample and seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from zlib import crc32

import numpy as np

from uml_pipeline.features.samples import Lazy
from uml_pipeline.samples import Sample
from uml_pipeline.silo.config import Modality

Spoil = Callable[[Sample, float, np.random.Generator], Sample]


@dataclass(frozen=True)
class Damage:
    """One kind: how it spoils a sample, and how badly at each of three strengths."""

    kind: str
    unit: str
    """What `strengths` are."""
    strengths: tuple[float, float, float]
    """Mild first."""
    spoil: Spoil


class Spoilt(Lazy):
    """Samples that are spoilt when asked for, in the thread that asks: the same way every time."""

    def __init__(self, samples: Sequence[Sample], ids: Sequence[str], damage: Damage, level: int) -> None:
        self.samples, self.ids, self.damage, self.level = samples, ids, damage, level

    def __len__(self) -> int:
        return len(self.ids)

    def one(self, at: int) -> Sample:
        """See Lazy."""
        # one draw for all strengths: the same pixels, letters or cells are spoilt, more of them or harder
        draw = np.random.default_rng(crc32(f"{self.damage.kind} {self.ids[at]}".encode()))
        return self.damage.spoil(self.samples[at], self.damage.strengths[self.level], draw)


_KINDS: Mapping[Modality, str] = {
    "image": "images",
    "audio": "sounds",
    "text": "texts",
    "table": "rows",
    "series": "numbers",
    "vector": "numbers",
}


def damages(modality: Modality, samples: Sequence[Sample]) -> list[Damage]:
    """All kinds of damage for a modality; those of numbers are measured by how these samples vary."""
    module = import_module(f"uml_pipeline.report.robustness.{_KINDS[modality]}")
    return list(module.damages(samples))
