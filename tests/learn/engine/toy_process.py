"""`python -m tests.learn.engine.toy_process FOLDER [SLOW]`: train the toy with a checkpoint, save what came out."""

import sys
import time
from pathlib import Path

import torch

from tests.learn.engine.toys import CONFIG, Points
from uml_pipeline.learn.engine import checkpoint
from uml_pipeline.learn.engine.loop import fit
from uml_pipeline.learn.engine.world import joined


def main(folder: str, pause: str = "0") -> None:
    torch.set_num_threads(1)
    with joined("cpu") as world:
        task = Points(dropout=0 if world.size > 1 else 0.2)
        config = CONFIG.model_copy(update={"accumulate": 2 if world.size > 1 else 1, "clip": 1.0})
        task.parts = config.accumulate

        def advance(steps: int, taken: int = 0) -> None:
            print(steps, flush=True)
            time.sleep(float(pause))

        found = fit(task, config, 0, world=world, checkpoint=Path(folder) / "checkpoint", advance=advance)
        if world.first:
            checkpoint.save(Path(folder) / "done", vars(found) | {"last": task.model.state_dict()})


if __name__ == "__main__":
    main(*sys.argv[1:])
