"""A few random faults of every kind; `make faults` strikes 500 times."""

from pathlib import Path

import pytest

from tests.faults.harness import KINDS, Harness
from tests.faults.micro import FAILED, HUNG

COUNT = 30  # three of each kind


@pytest.mark.slow
def test_whatever_befalls_a_run_the_next_one_makes_the_same_bytes(tmp_path: Path) -> None:
    assert COUNT % len(KINDS) == 0
    harness = Harness(tmp_path)
    for seed in range(COUNT):
        story = harness.strike(seed)
        assert story.whole, f"fault {seed} ({story.kind}) is not mended:\n{story.said}"
        assert story.code != HUNG, f"fault {seed} ({story.kind}) hung:\n{story.said}"
        assert story.code != FAILED or story.kind in ("Ctrl-C", "out of memory"), f"fault {seed}:\n{story.said}"
