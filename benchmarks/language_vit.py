"""Vision from language (UML, sec. 4.3): a vision transformer with MiniLM's blocks against the same net from scratch.

    UML_DATA_DIR=... python benchmarks/language_vit.py

caltech50, its whole training split, photos of 64 pixels in patches of 16; three seeds of all that begins at random; the
length of training chosen on the validation split.

Last figures (2 cores, shared with other jobs: 25 CPU minutes; test %, 150 steps, three seeds):

    minilm     8.8 ± 0.5    8.2, 9.2, 8.9
    scratch   13.8 ± 1.7    15.2, 12.0, 14.2
"""

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from uml_pipeline.learn.engine.world import World
from uml_pipeline.pipeline import Step, call
from uml_pipeline.study import Study
from uml_pipeline.trunk.finetune.arms import arms
from uml_pipeline.trunk.finetune.cells import recognised
from uml_pipeline.trunk.finetune.inputs import gather
from uml_pipeline.trunk.finetune.runs import Run

SEEDS, INITS = 3, ("minilm", "scratch")
FINETUNE = {
    "arms": ["unimodal_paper"],
    "alphas": [0.0],
    "steps": 150,
    "look_every": 50,
    "warm_up": 30,
    "layer_decay": 1.0,
    "probe_steps": 0,
    "standardise": False,
    "augment": "flip",
}


def main() -> None:
    """Print test accuracies by seed."""
    found: dict[str, list[float]] = {init: [] for init in INITS}
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(SEEDS):
            for init in INITS:
                found[init].append(accuracy(Path(folder), init, seed))
    table = Table("blocks", "test %", "by seed")
    for init, shares in found.items():
        spread = f"{np.mean(shares):.1f} ± {np.std(shares, ddof=1):.1f}"
        table.add_row(init, spread, ", ".join(f"{one:.1f}" for one in shares))
    console = Console(width=100)
    console.print(table)
    gaps = np.subtract(found["minilm"], found["scratch"])
    console.print(f"difference by seed: {gaps.round(1).tolist()}; {time.perf_counter() - began:.0f} seconds")


def accuracy(folder: Path, init: str, seed: int) -> float:
    """Test accuracy, in percent, of one training."""
    inputs = gather(prepare(folder, init, seed))
    [arm] = arms(inputs.study.params.trunk.finetune, [], [])
    split = inputs.manifest["split"]
    train, val, test = (np.flatnonzero(split == side) for side in ("train", "val", "test"))
    run = Run(inputs, arm, arm.settings[0], train, val, seed, folder / f"{init}-{seed}")
    [(right, counts)] = recognised(run, run.train_on(World(), lambda steps, taken=0: None), [test], World())
    return 100 * float(right.sum() / counts.sum())


def prepare(folder: Path, init: str, seed: int) -> Study:
    """The study up to the trunk's door; the photos alone."""
    data = Path(os.environ["UML_DATA_DIR"]).resolve() / "datasets" / "caltech50" / "image_silo"
    encoder = f"builtin/vit?init={init}&seed={seed}&img_size=64&patch=16"
    params = {
        "target": "photos",
        "silos": {"photos": {"modality": "image", "path": str(data), "encoder": encoder}},
        "trunk": {"mode": "finetune", "finetune": FINETUNE},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    study = Study(folder)
    for stage in ("silo", "features"):
        call(study, Step(stage, "photos"))
    call(study, Step("relevance"))
    return study


if __name__ == "__main__":
    main()
