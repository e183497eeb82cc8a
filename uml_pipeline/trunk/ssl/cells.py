"""One arm on all episodes of a seed: trained once without labels, then probed with few and more of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from uml_pipeline.learn.engine.loop import Fit
from uml_pipeline.learn.geometry import Array
from uml_pipeline.learn.sequence.monitors import effective_rank
from uml_pipeline.learn.sequence.probe import neighbours, probe
from uml_pipeline.learn.sequence.reader import represent
from uml_pipeline.learn.splits import Episode, Rows, sides
from uml_pipeline.trunk import cells
from uml_pipeline.trunk.cells import Counts, judges
from uml_pipeline.trunk.ssl.arms import Arm
from uml_pipeline.trunk.ssl.inputs import Inputs
from uml_pipeline.trunk.ssl.runs import Run


@dataclass(frozen=True)
class Cell(cells.Cell):
    """The outcome. A setting's score is the validation log-loss of the probe."""

    nearest: tuple[Counts, Counts]  # of the test samples, by nearest neighbours
    rank: float  # of the representation of the validation side


def runs_of(inputs: Inputs, arm: Arm, seed: int, folder: Path) -> list[Run]:
    """All settings of an arm on the training side of a seed, with and without label."""
    train, val, _ = sides(inputs.manifest, seed)
    return [
        Run(inputs, arm, setting, train, val, seed, folder / f"{arm.name}-{seed}-{place}")
        for place, setting in enumerate(arm.settings)
    ]


def solve(inputs: Inputs, arm: Arm, drawn: Sequence[Episode], folder: Path, device: torch.device) -> list[Cell]:
    """Probe what an arm's trainings on a seed came to, on that seed's episodes."""
    runs = runs_of(inputs, arm, drawn[0].seed, folder)
    fits = [one.found() if arm.trained else None for one in runs]
    seen = [represent(run.reader(found), inputs.x, device) for run, found in zip(runs, fits, strict=True)]
    ranks = [effective_rank(torch.from_numpy(z[runs[0].val])) for z in seen]
    return [_cell(inputs, arm, episode, fits, seen, ranks) for episode in drawn]


def _cell(
    inputs: Inputs, arm: Arm, episode: Episode, fits: list[Fit | None], seen: list[Array], ranks: list[float]
) -> Cell:
    """Chosen by validation; test samples are looked at by the chosen setting alone."""
    y, train, val = inputs.y, episode.train, episode.val
    probes = [probe(z[train], y[train], len(inputs.classes)) for z in seen]
    scores = [one.loss(z[val], y[val]) for one, z in zip(probes, seen, strict=True)]
    chosen = int(np.argmin(scores))  # the first of equals
    z, best = seen[chosen], probes[chosen]

    def recognised(rows: Rows) -> tuple[Counts, Counts]:
        return hits(best.logits(z[rows]).argmax(1), y[rows], len(inputs.classes))

    right, counts = recognised(val)
    close = neighbours(z[train], y[train], z[episode.test])
    return Cell(
        arm=arm.name,
        shots=episode.shots,
        seed=episode.seed,
        settings=[
            {
                "setting": asdict(setting),
                "score": score,
                "best": found.best if found else 0,
                "history": found.history if found else [],
            }
            for setting, score, found in zip(arm.settings, scores, fits, strict=True)
        ],
        chosen=chosen,
        accuracy=100 * float(right.sum() / counts.sum()),
        judged=recognised(judges(inputs.manifest, y, episode)),
        test=recognised(episode.test),
        nearest=hits(close, y[episode.test], len(inputs.classes)),
        rank=ranks[chosen],
    )


def hits(predicted: Rows, y: Rows, classes: int) -> tuple[Counts, Counts]:
    """Samples of each class that are recognised, and how many there are: [class], [class]."""
    return np.bincount(y[predicted == y], minlength=classes), np.bincount(y, minlength=classes)
