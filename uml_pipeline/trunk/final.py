"""The recipe that ships, trained on every labelled target sample off the test split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from uml_pipeline.learn.geometry import Array
from uml_pipeline.learn.splits import held_out
from uml_pipeline.trunk.compare import Inputs
from uml_pipeline.trunk.probe import hits
from uml_pipeline.trunk.problem import Problem, build
from uml_pipeline.trunk.ship import Recipe


@dataclass(frozen=True)
class Final:
    """A trained recipe: logits of raw features x are scale * head @ standardise(x, centre)."""

    problem: Problem
    head: Tensor  # [class, d]
    scale: float
    samples: int  # labelled target samples it saw

    @property
    def centre(self) -> Array:
        """[d]."""
        return self.problem.centre


def refit(inputs: Inputs, recipe: Recipe) -> Final:
    """Train `recipe` once on all labelled samples that are not in the test split."""
    y = inputs.target.index(inputs.classes)
    train = np.setdiff1d(np.flatnonzero(y >= 0), held_out(inputs.target.manifest))
    problem = build(inputs.target, inputs.auxiliary, inputs.classes, train, train[:0], seed=0)
    return Final(problem, recipe.arm.refit(problem, recipe.setting, recipe.look), recipe.scale, len(train))


def accuracy_on_test(inputs: Inputs, ships: Final, baseline: Final) -> dict[str, Any]:
    """Accuracy of both on the held-out test split, in percent: read once, for the report."""
    rows = held_out(inputs.target.manifest)
    y = inputs.target.index(inputs.classes)
    rows = rows[y[rows] >= 0]
    shares = {}
    for name, final in (("ships", ships), ("baseline", baseline)):
        samples = final.problem.look_at(inputs.target.x[rows], y[rows])
        correct, counts = hits(final.head, samples)
        shares[name] = 100 * float(correct.sum() / counts.sum())
    return {**shares, "samples": len(rows)}


def save(final: Final, path: Path) -> None:
    """Centre [d] and head [class, d], scale folded into the head, as safetensors."""
    from safetensors.numpy import save_file

    save_file({"centre": final.centre, "head": (final.scale * final.head).numpy()}, path)
