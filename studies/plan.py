"""What a study is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from studies.place import Place

Record = dict[str, Any]
Results = Mapping[str, Record]


@dataclass(frozen=True)
class Plan:
    """Settings by name, each measured given a place and a number of draws (its record has `inputs`, a hash); what the
    page shows of all records; figures by file name, as SVG.
    """

    settings: Mapping[str, Callable[[Place, int], Record]]
    blocks: Callable[[Results], dict[str, str]]
    figures: Mapping[str, Callable[[Results], str]] = field(default_factory=dict)
    long: frozenset[str] = frozenset()
    """Settings that take hours: run when they are asked for by name, and printed; no page waits for them."""
