"""`make faults`: many random faults, one after the other, and a table of what became of them.

python -m tests.faults [--count 500] [--first 0]
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.faults.harness import KINDS, Harness, Story
from tests.faults.micro import FAILED, HUNG, REFUSED
from uml_pipeline.progress import progress

ENDS: tuple[Callable[[int], bool], ...] = (
    lambda code: code == 0,
    lambda code: code < 0,
    REFUSED.__eq__,
    FAILED.__eq__,
    HUNG.__eq__,
)
"""Unhurt, killed, refused, failed, hung: as the columns of the table."""


def main() -> None:
    """Strike, and print; ends with 1 if a study was not whole again, or a run neither ended nor said plainly why."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument(
        "--first", type=int, default=0, help="number of the first fault: a fault is repeated by its number"
    )
    options = parser.parse_args()
    stories = list[Story]()
    with tempfile.TemporaryDirectory() as folder, progress("faults", options.count) as advance:
        harness = Harness(Path(folder))
        for seed in range(options.first, options.first + options.count):
            stories.append(harness.strike(seed))
            advance(1)
            if not stories[-1].well:
                print(f"fault {seed} ({stories[-1].kind}):\n{stories[-1].said}", file=sys.stderr, flush=True)
    print(table(stories))
    sys.exit(not all(one.well for one in stories))


def table(stories: list[Story]) -> str:
    """Markdown: for every kind how the struck runs ended, and how long the next run took to make all whole."""
    rows = [
        "| fault | times | unhurt | killed | refused | failed | hung | whole again | s, median | s, most |",
        "|---|" + "--:|" * 9,
    ]
    for kind in KINDS:
        own = [one for one in stories if one.kind == kind]
        if own:
            counts = [sum(test(one.code) for one in own) for test in ENDS]
            seconds = [one.seconds for one in own]
            cells = [
                kind,
                len(own),
                *counts,
                sum(one.whole for one in own),
                f"{statistics.median(seconds):.1f}",
                f"{max(seconds):.1f}",
            ]
            rows.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
