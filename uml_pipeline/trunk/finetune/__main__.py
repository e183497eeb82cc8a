"""The work of one of several processes; `uml trunk` then finds it done.

`torchrun --nproc-per-node 2 -m uml_pipeline.trunk.finetune STUDY`; on several machines with torchrun's own options,
where all see the study's folder.
"""

import sys
from pathlib import Path

from rich.console import Console

from uml_pipeline.errors import UserError
from uml_pipeline.learn.engine.world import joined
from uml_pipeline.study import Study
from uml_pipeline.trunk.finetune.compute import compute


def main(folder: str) -> None:
    """Train everything in `folder`'s study that is not trained yet."""
    study = Study(Path(folder))
    with joined(study.params.trunk.finetune.device) as world:
        compute(study, world)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except UserError as error:
        Console(stderr=True, highlight=False).print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)
