"""The front doors, each in a fresh process that is struck: `python -m tests.faults.doors DOOR STUDY KIND SEED SECONDS`.

`dvc repro` starts more processes, which inherit limits and rights; signals and the clock are its own.
"""

import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from tests.faults.strikes import STRIKES

ROOT = Path(__file__).parents[2]
Door = Callable[[Path], None]


def by_command(study: Path) -> None:
    """`uml run`."""
    from uml_pipeline.cli import main

    sys.argv = ["uml", "run"]
    main()


def by_dvc(study: Path) -> None:
    """`dvc repro`."""
    from dvc.cli import main

    sys.exit(main(["repro"]))


def by_dagster(study: Path) -> None:
    """Dagster's job, with the home that `uml ui` would give it."""
    import dagster as dg

    from assets.definitions import build
    from uml_pipeline.start.dagster import environment
    from uml_pipeline.study import Study

    os.environ.update(environment(study))
    try:
        with dg.DagsterInstance.get() as instance:
            build(Study(study)).resolve_job_def("everything").execute_in_process(instance=instance)
    except dg.Failure as failure:
        if "to do" not in failure.metadata:
            raise
        sys.exit(str(failure))


DOORS: dict[str, tuple[Door, float]] = {
    "uml run": (by_command, 8),
    "dvc repro": (by_dvc, 60),
    "Dagster": (by_dagster, 15),
}
"""Each with the seconds that its imports take: a strike comes at any moment of them, or of the work after them."""


def enter(door: str, study: Path, kind: str, seed: int, seconds: float) -> NoReturn:
    """Become a process that goes through the door."""
    os.environ.update(PYTHONPATH=str(ROOT), DVC_NO_ANALYTICS="1")
    os.chdir(ROOT)
    words = [door, str(study), kind, str(seed), str(seconds)]
    os.execv(sys.executable, [sys.executable, "-m", "tests.faults.doors", *words])


def main() -> None:
    """Strike this process, and go through the door."""
    door, folder, kind, seed, seconds = sys.argv[1:]
    study, (through, imports) = Path(folder), DOORS[door]
    os.chdir(study)
    if kind in STRIKES:
        STRIKES[kind](study, random.Random(int(seed)), float(seconds) + imports)
    through(study)


if __name__ == "__main__":
    main()
