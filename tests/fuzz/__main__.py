"""`make fuzz`: damaged inputs of every kind, and a table of what became of them.

python -m tests.fuzz [--count 600] [--first 0] [--only NAME]
"""

import argparse
import sys
from itertools import chain

from tests.fuzz import corpus, models
from tests.fuzz.harness import BROKEN, READ, REFUSED, fuzz


def main() -> None:
    """Print the table; ends with 1 if anything broke."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=600, help="of each kind")
    parser.add_argument("--first", type=int, default=0, help="number of the first: a damage is repeated by its number")
    parser.add_argument("--only", default="", help="kinds whose name has this in it")
    options = parser.parse_args()
    broke = False
    print("| input | damaged | read | refused | broken |\n|---|--:|--:|--:|--:|")
    for kind in chain(corpus.kinds(), models.kinds()):
        if options.only in kind.name:
            ends, broken = fuzz(kind, options.first, options.count)
            print(f"| {kind.name} | {options.count} | {ends[READ]} | {ends[REFUSED]} | {ends[BROKEN]} |", flush=True)
            print("\n".join(broken[:3]), end="", file=sys.stderr, flush=True)
            broke |= bool(broken)
    sys.exit(broke)


if __name__ == "__main__":
    main()
