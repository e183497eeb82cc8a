"""Self-supervised learning on real sequences: UML against the target alone, spoilt silos, and what needs no learning.

    UML_DATA_DIR=... python -m benchmarks.sequences [--seeds 10] [--steps N] [--only NAME] [FOLDER]

Prints one markdown table a setting. FOLDER keeps features and finished trainings between runs. Figures:
docs/results.md. The settings' data are made in sequence_settings.py.
"""

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from studies.sequences.silos import SETTINGS
from uml_pipeline.learn.engine.world import World
from uml_pipeline.learn.statistics import paired_gain
from uml_pipeline.pipeline import Step, call
from uml_pipeline.study import Study
from uml_pipeline.trunk.ssl.cells import Cell
from uml_pipeline.trunk.ssl.compute import Outcome, compute
from uml_pipeline.trunk.ssl.tables import monitors

OURS, ALONE = "uml", "unimodal"


def main() -> None:
    """Print the tables."""
    options = _options()
    data = Path(os.environ["UML_DATA_DIR"]).resolve()
    for name, make in SETTINGS.items():
        if options.only in name:
            folder = Path(options.folder).resolve() / name
            folder.mkdir(parents=True, exist_ok=True)
            study = prepared(folder, make(folder, data), options.seeds, options.steps)
            began = time.perf_counter()
            outcome = compute(study, World())
            print(f"\n### {name}\n\n{table(outcome)}\n\n{time.perf_counter() - began:.0f} seconds.", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default=".uml/benchmark-sequences")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, help="of each training; absent: the library's default")
    parser.add_argument("--only", default="", help="settings whose name has this in it")
    return parser.parse_args()


def prepared(folder: Path, params: dict[str, Any], seeds: int, steps: int | None) -> Study:
    """The study up to the trunk's door. All silos are used, whatever their verdict: here the arms are judged."""
    trunk = {**params["trunk"], "mode": "ssl", "seeds": seeds}
    trunk["ssl"] = {**trunk.get("ssl", {}), **({"steps": steps} if steps else {}), "device": "cpu"}
    written = yaml.safe_dump({**params, "relevance": {"policy": "warn"}, "trunk": trunk}, sort_keys=False)
    (folder / "params.yaml").write_text(written, encoding="utf-8")
    study = Study(folder)
    for stage in ("silo", "features"):
        for name in study.params.silos:
            call(study, Step(stage, name))
    call(study, Step("relevance"))
    return study


def table(outcome: Outcome) -> str:
    """Test accuracy in percent of every arm, mean and deviation over the seeds; then gains, and losses of idlers."""
    cells, seen = outcome.cells, monitors(outcome.inputs, outcome.cells)
    shots = sorted({one.shots for one in cells})
    rows = [["arm", *(f"{one} a class" for one in shots), f"neighbours, {shots[-1]}", "rank", "loss"]]
    rows.append(["---"] + ["--:"] * (len(rows[0]) - 1))
    for arm in outcome.lineup:
        about = seen["arms"][arm.name]
        loss = f"{about['loss']:.3f}" if "loss" in about else ""
        accuracies = [_spread(_own(cells, arm.name, one)) for one in shots]
        rows.append([arm.label, *accuracies, f"{about['nearest']:.1f}", f"{about['rank']:.1f}", loss])
    rest = [""] * 3
    rows.append(["UML over the target alone", *(_gain(cells, one, ALONE) for one in shots), *rest])
    idle = [arm.name for arm in outcome.lineup if arm.kind == "image-only"]
    rows.append(["UML over the best without", *(_gain(cells, one, _best(cells, one, idle)) for one in shots), *rest])
    told = ", ".join(f"{name} {loss:.3f}" for name, loss in seen["without_learning"].items())
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{lines}\n\nLoss without learning: {told or 'none, tokens'}. Ships {outcome.decision.ships.arm.name}."


def _own(cells: Sequence[Cell], arm: str, shots: int) -> list[Cell]:
    return [one for one in cells if (one.arm, one.shots) == (arm, shots)]


def _spread(cells: Sequence[Cell]) -> str:
    percent = [100 * float(right.sum() / counts.sum()) for right, counts in (one.test for one in cells)]
    return f"{np.mean(percent):.1f} ± {np.std(percent, ddof=1):.1f}"


def _best(cells: Sequence[Cell], shots: int, arms: Sequence[str]) -> str:
    """By its test accuracy, which favours it."""
    return max(arms, key=lambda arm: sum(int(one.test[0].sum()) for one in _own(cells, arm, shots)))


def _gain(cells: Sequence[Cell], shots: int, peer: str) -> str:
    ours, theirs = (_own(cells, arm, shots) for arm in (OURS, peer))
    right, other = (np.stack([one.test[0] for one in own]) for own in (ours, theirs))
    gain = paired_gain(right, other, np.stack([one.test[1] for one in ours]))
    return f"{gain.mean:+.1f} ({gain.low:+.1f} to {gain.high:+.1f})"


if __name__ == "__main__":
    main()
