"""A few random faults of every kind, and by every door; `make faults` strikes 500 times."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.doors import DOORS
from tests.faults.harness import KINDS

ROOT = Path(__file__).parents[2]
COUNT = 3 * len(KINDS)


@pytest.mark.slow
def test_whatever_befalls_a_run_the_next_one_makes_the_same_bytes() -> None:
    """In a process of its own: a fork of this one would have threads of libraries that only seem to be there."""
    command = [sys.executable, "-m", "tests.faults", "--count", str(COUNT)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"\n| {name} | " in done.stdout for name in (*KINDS, *DOORS)), done.stdout
