"""One flipped bit in a file of every kind that a study makes or remembers: mended, or refused by name."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_flipped_bit_in_any_kind_of_file_is_mended() -> None:
    """In a process of its own, as the random faults."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.bits"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
