"""The verdict on an auxiliary silo as the report tells about it: what it should give, and whether it is sound."""

from typing import Literal

from pydantic import Field

from uml_pipeline.report.results import Read


class Geometry(Read):
    """A permutation test of how classes are arranged."""

    statistic: float
    p_value: float
    null: list[float]


class Expected(Read):
    """A difference of accuracy that was predicted, in points."""

    mean: float
    low: float
    high: float


class Predicted(Read):
    """What a silo is expected to give."""

    gain: Expected
    permuted: float | None = None
    """What the same silo gives under permuted labels, in the mean; None: not tried."""


class Odd(Read):
    """A sample that something looks wrong about."""

    sample_id: str
    label: str | None = Field(alias="class")
    text: str | None
    reason: str
    looks: str | None
    """The other class that it is like, or the sample that it names."""


class Suspicious(Read):
    """How many samples look wrong, and the gravest of them."""

    samples: int
    first: list[Odd]


class Soundness(Read):
    """Whether a silo's labels and texts look right."""

    alarming: tuple[str, ...] = ()
    suspicious: Suspicious


class Verdict(Read):
    """artifacts/relevance/<silo>.json."""

    silo: str
    verdict: Literal["helps", "neutral", "harms", "cannot tell"]
    p_value: float | None
    alone: Predicted | None
    beside: Predicted | None
    geometry: Geometry | None
    shared_classes: int
    used: bool
    reasons: list[str]
    soundness: Soundness | None = None
    set_aside: tuple[str, ...] = ()
    """Samples that are not learnt from, since they look wrong."""

    @property
    def expected(self) -> Expected | None:
        """The larger of its two gains: to the target alone, or on top of all other silos."""
        gains = [one.gain for one in (self.alone, self.beside) if one is not None]
        return max(gains, key=lambda gain: gain.mean, default=None)
