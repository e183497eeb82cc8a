"""What the model answers, direction by direction: the numbers that `uml theory` prints and draws."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from uml_pipeline.theory.blindness import directions
from uml_pipeline.theory.designs import Design, Matrix
from uml_pipeline.theory.exchange import best_weight, exchange_rate, harm_threshold, joint_variance, worth
from uml_pipeline.theory.information import efficient, fisher

Sight = Literal["seen", "opened", "blind"]


@dataclass(frozen=True)
class View:
    """What one silo, or both, know about theta_c."""

    name: str
    rank: int
    naive: float
    """Trace of the common block of the information: as though the silo's own unknowns were known."""
    information: float
    """Trace of the efficient information."""


@dataclass(frozen=True)
class Line:
    """One direction: variances (inf: not seen), and what auxiliary samples are worth along it."""

    name: str
    direction: Matrix
    sight: Sight
    target: float
    auxiliary: float
    weighted: float
    unit: float
    rate: float
    worth: float
    harm_threshold: float


@dataclass(frozen=True)
class Answer:
    """All that is known about two silos of the linear-Gaussian model."""

    target: Design
    auxiliary: Design
    views: list[View]
    lines: list[Line]
    """The principal directions d1, d2, …: what the target sees best first, then what is opened, then what is blind."""
    named: list[Line]
    """The user's own directions."""

    @property
    def noise_ratio(self) -> float:
        """Noise variance of the auxiliary silo over the target's."""
        return 1 / best_weight(self.target, self.auxiliary)

    def of(self, sight: Sight) -> list[Line]:
        """The principal directions of one kind."""
        return [line for line in self.lines if line.sight == sight]


def answer(target: Design, auxiliary: Design, named: dict[str, Matrix]) -> Answer:
    """Everything, for two silos and further directions, [common] each, by name."""
    x, y = efficient(target), efficient(auxiliary)
    common = target.common.shape[1]
    naive = [float(np.trace(fisher(one)[:common, :common])) for one in (target, auxiliary)]
    views = [
        View("target", x.rank, naive[0], float((x.factor**2).sum())),
        View("auxiliary", y.rank, naive[1], float((y.factor**2).sum())),
        View("both", (x + y).rank, sum(naive), float(((x + y).factor ** 2).sum())),
    ]
    parts = directions(x, y)
    axes = np.hstack([parts.seen, parts.opened, parts.blind]).T
    lines = [_line(f"d{place}", target, auxiliary, axis) for place, axis in enumerate(axes, 1)]
    own = [_line(name, target, auxiliary, direction) for name, direction in named.items()]
    return Answer(target, auxiliary, views, lines, own)


def _line(name: str, target: Design, auxiliary: Design, direction: Matrix) -> Line:
    x, y = efficient(target), efficient(auxiliary)
    sight: Sight = "seen" if x.sees(direction) else "opened" if (x + y).sees(direction) else "blind"
    return Line(
        name,
        direction,
        sight,
        target=x.variance(direction),
        auxiliary=y.variance(direction),
        weighted=(x + y).variance(direction),
        unit=joint_variance(target, auxiliary, direction, 1.0),
        rate=exchange_rate(target, auxiliary, direction),
        worth=worth(target, auxiliary, direction),
        harm_threshold=harm_threshold(target, auxiliary, direction),
    )


def sweep(found: Answer, samples: Sequence[int]) -> tuple[Matrix, Matrix]:
    """Total variance over the directions that the target sees, against the number of auxiliary samples.

    Returns:
        With both silos weighted by their noise, and with unit weights, [number of samples] each.
    """
    seen = [line.direction for line in found.of("seen")]
    weighted, unit = [], []
    for number in samples:
        auxiliary = replace(found.auxiliary, samples=number)
        both = efficient(found.target) + efficient(auxiliary)
        weighted.append(sum(both.variance(v) for v in seen))
        unit.append(sum(joint_variance(found.target, auxiliary, v, 1.0) for v in seen))
    return np.array(weighted), np.array(unit)
