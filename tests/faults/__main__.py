"""`make faults`: many random faults, one after the other, and a table of what became of them.

python -m tests.faults [--count 500] [--first 0] [--door "dvc repro"]
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.faults.doors import DOORS
from tests.faults.harness import IN_PROCESS, KINDS, Harness, Story
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
    parser.add_argument("--door", choices=(IN_PROCESS, *DOORS), help="by which all come; else the number says it")
    options = parser.parse_args()
    stories = list[Story]()
    with tempfile.TemporaryDirectory() as folder, progress("faults", options.count) as advance:
        harness = Harness(Path(folder))
        for seed in range(options.first, options.first + options.count):
            stories.append(harness.strike(seed, options.door))
            advance(1)
            print(told(stories[-1]), file=sys.stderr, flush=True)
    print(table("fault", KINDS, stories, lambda story: story.kind))
    print()
    print(table("door", (IN_PROCESS, *DOORS), stories, lambda story: story.door))
    sys.exit(not all(one.well for one in stories))


def told(story: Story) -> str:
    """A line for the log; of a fault that was not mended all that was said, too."""
    end = "whole again" if story.whole else "NOT whole"
    line = f"fault {story.seed}: {story.kind}, {story.door}: ended with {story.code}, {end} after {story.seconds:.1f} s"
    return line if story.well else f"{line}\n{story.said}"


def table(head: str, names: Iterable[str], stories: list[Story], name_of: Callable[[Story], str]) -> str:
    """Markdown: for every name how the struck runs ended, and how long the next run took to make all whole."""
    rows = [
        f"| {head} | times | unhurt | killed | refused | failed | hung | whole again | s, median | s, most |",
        "|---|" + "--:|" * 9,
    ]
    for name in names:
        own = [one for one in stories if name_of(one) == name]
        if own:
            counts = [sum(test(one.code) for one in own) for test in ENDS]
            seconds = [one.seconds for one in own]
            cells = [
                name,
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
