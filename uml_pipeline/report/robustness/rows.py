"""Spoilt rows of a table."""

from collections.abc import Sequence
from functools import partial
from numbers import Real
from typing import cast

import numpy as np

from uml_pipeline.report.robustness.damage import Damage
from uml_pipeline.samples import Sample

Row = dict[str, object]


def damages(samples: Sequence[Sample]) -> list[Damage]:
    """Noise on the cells that are numbers, as far as their column varies in these samples; and missing cells."""
    spreads = _spreads([cast(Row, one) for one in samples])
    found = [Damage("missing", "share of the cells", (0.1, 0.3, 0.5), missing)]
    if spreads:
        unit = "standard deviations of the column"
        found.insert(0, Damage("noise", unit, (0.1, 0.3, 1.0), partial(noise, spreads)))
    return found


def _spreads(rows: list[Row]) -> dict[str, float]:
    columns: dict[str, list[float]] = {}
    for row in rows:
        for name, cell in row.items():
            if _number(cell):
                columns.setdefault(name, []).append(float(cast(float, cell)))
    return {name: float(np.std(cells)) for name, cells in columns.items()}


def _number(cell: object) -> bool:
    return isinstance(cell, Real) and not isinstance(cell, bool | np.bool_) and bool(np.isfinite(float(cell)))


def noise(spreads: dict[str, float], sample: Sample, strength: float, draw: np.random.Generator) -> Row:
    """Gaussian."""
    row = cast(Row, sample)
    kicks = draw.normal(size=len(row))
    return {
        name: float(cast(float, cell)) + strength * spreads[name] * float(kick) if _number(cell) else cell
        for (name, cell), kick in zip(row.items(), kicks, strict=True)
    }


def missing(sample: Sample, strength: float, draw: np.random.Generator) -> Row:
    """Cells that are not there; one that is stays."""
    row = cast(Row, sample)
    there = [name for name, cell in row.items() if cell is not None]
    marks = dict(zip(there, draw.random(len(there)), strict=True))
    last = max(marks, key=lambda name: marks[name])
    gone = {name for name, mark in marks.items() if mark < strength and name != last}
    return {name: None if name in gone else cell for name, cell in row.items()}
