"""What a self-supervised study has learnt, as a table: UML against the target alone, spoilt silos, and what needs no
learning.
"""

from collections.abc import Sequence

import numpy as np

from studies.tables import signed
from uml_pipeline.learn.statistics import paired_gain
from uml_pipeline.trunk.ssl.cells import Cell
from uml_pipeline.trunk.ssl.compute import Outcome
from uml_pipeline.trunk.ssl.tables import monitors

OURS, ALONE = "uml", "unimodal"


def rows(outcome: Outcome) -> list[list[str]]:
    """Heads, then test accuracy in percent of every arm, mean and deviation over the seeds; then gains; then the loss
    of idlers.
    """
    cells, seen = outcome.cells, monitors(outcome.inputs, outcome.cells)
    shots = sorted({one.shots for one in cells})
    found = [["arm", *(f"{one} a class" for one in shots), f"neighbours, {shots[-1]}", "rank", "loss"]]
    for arm in outcome.lineup:
        about = seen["arms"][arm.name]
        loss = f"{about['loss']:.3f}" if "loss" in about else ""
        accuracies = [_spread(_own(cells, arm.name, one)) for one in shots]
        found.append([arm.label, *accuracies, f"{about['nearest']:.1f}", f"{about['rank']:.1f}", loss])
    rest = [""] * 3
    found.append(["UML over the target alone", *(_gain(cells, one, ALONE) for one in shots), *rest])
    idle = [arm.name for arm in outcome.lineup if arm.kind == "image-only"]
    found.append(["UML over the best without", *(_gain(cells, one, _best(cells, one, idle)) for one in shots), *rest])
    without = [
        [f"*{name}*", *[""] * len(shots), "", "", f"{loss:.3f}"] for name, loss in seen["without_learning"].items()
    ]
    return found + without


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
    return signed(vars(gain))
