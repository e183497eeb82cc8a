"""All training of a study: every arm on every seed, then what ships; what is done stands in `.uml/ssl`."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch

from uml_pipeline.errors import UserError
from uml_pipeline.learn.engine.world import World
from uml_pipeline.learn.sequence.probe import Probe, probe
from uml_pipeline.learn.sequence.reader import Reader, represent
from uml_pipeline.learn.splits import Episode, Rows, held_out, sides
from uml_pipeline.progress import progress
from uml_pipeline.study import Study
from uml_pipeline.trunk.admission import drawn_episodes
from uml_pipeline.trunk.cells import Setting
from uml_pipeline.trunk.decision import Decision
from uml_pipeline.trunk.recipes import Recipe, decide
from uml_pipeline.trunk.ssl.arms import Arm, arms
from uml_pipeline.trunk.ssl.cells import Cell, hits, runs_of, solve
from uml_pipeline.trunk.ssl.inputs import Inputs, gather
from uml_pipeline.trunk.ssl.runs import Run
from uml_pipeline.trunk.ssl.stacks import train_all
from uml_pipeline.trunk.unfinished import key, root


@dataclass(frozen=True)
class Final:
    """A recipe trained on the whole training split, its probe on every labelled sample off the test split."""

    reader: Reader
    probe: Probe
    steps: int
    samples: int  # that the probe saw
    test: float  # accuracy on the held-out test split, percent


@dataclass(frozen=True)
class Outcome:
    """All that was trained."""

    inputs: Inputs
    lineup: list[Arm]
    cells: list[Cell]
    decision: Decision[Recipe[Arm]]
    ships: Final
    baseline: Final


def compute(study: Study, world: World) -> Outcome:
    """Every arm on every episode; then what ships, and the baseline, on the whole training split.

    Raises:
        UserError: an upstream artifact is missing, the policy blocks a silo, or the target cannot be learnt.
    """
    inputs = gather(study)
    lineup = arms(study.params.trunk.ssl, inputs.used, inputs.forced)
    by_seed, clean = draw(study, inputs)
    folder = root(study) / key(study)
    if world.first:
        folder.mkdir(parents=True, exist_ok=True)
    world.wait()
    runs = [run for seed in by_seed for arm in lineup if arm.trained for run in runs_of(inputs, arm, seed, folder)]
    steps = len(runs) * study.params.trunk.ssl.steps
    with progress("self-supervised training, steps", steps, unit="tokens", shown=world.first) as advance:
        train_all(runs, world, advance)
    cells = list[Cell]()
    with progress("probing what was learnt", len(by_seed) * len(lineup), shown=world.first) as advance:
        for drawn, arm in product(by_seed.values(), lineup):
            cells += solve(inputs, arm, drawn, folder, world.device)
            advance(1)
    most = max(study.params.trunk.shots)
    decision = decide(lineup, [one for one in cells if one.shots == most and one.seed in clean])
    first, second = _agreed(decision, lineup, world)
    ships = _whole(inputs, *first, folder, world)
    baseline = ships if first == second else _whole(inputs, *second, folder, world)
    return Outcome(inputs, lineup, cells, decision, ships, baseline)


def draw(study: Study, inputs: Inputs) -> tuple[dict[int, list[Episode]], set[int]]:
    """Episodes by seed, fewest shots first; and the seeds on which nothing, not even without label, was learnt of the
    held-out test split.

    Raises:
        UserError: a side of the split is empty, or there is no such seed.
    """
    manifest, known = inputs.manifest, inputs.y >= 0
    for side in ("train", "val", "test"):
        if not (known & (manifest["split"] == side)).any():
            fix = "give the silo more labelled samples, or a column `split` with all three sides"
            raise UserError(f"no labelled sample of {study.target!r} is on the side {side!r}", fix=fix)
    by_seed: dict[int, list[Episode]] = {}
    for one in drawn_episodes(study, manifest, most_val=len(manifest)):
        by_seed.setdefault(one.seed, []).append(one)
    learnt = {seed: np.concatenate(sides(manifest, seed)[:2]) for seed in by_seed}
    clean = {seed for seed, rows in learnt.items() if not np.isin(rows, held_out(manifest)).any()}
    if not clean:
        raise UserError(
            f"each of {len(by_seed)} seeds learns from samples of the test split",
            where="params.yaml, trunk.seeds",
            fix="use more seeds, or let the test split be one whole group, or remove `group` from the target",
        )
    return by_seed, clean


def _agreed(decision: Decision[Recipe[Arm]], lineup: list[Arm], world: World) -> list[tuple[Arm, Setting]]:
    """What ships and the baseline, by the word of the first process: others may round scores otherwise, and all must
    train the same.
    """
    places = [
        [lineup.index(one.arm), one.arm.settings.index(one.setting)] for one in (decision.ships, decision.baseline)
    ]
    said = world.agree(torch.tensor(places, device=world.device)).tolist()
    return [(lineup[arm], lineup[arm].settings[setting]) for arm, setting in said]


def _whole(inputs: Inputs, arm: Arm, setting: Setting, folder: Path, world: World) -> Final:
    manifest, y = inputs.manifest, inputs.y
    train, val = (np.flatnonzero(manifest["split"] == side) for side in ("train", "val"))
    run = Run(inputs, arm, setting, train, val, 0, folder / f"whole-{arm.name}")
    if arm.trained:
        told = f"what may ship: {arm.name}, steps"
        with progress(told, run.config.steps, unit="tokens", shown=world.first) as advance:
            train_all([run], world, advance)
    found = run.found() if arm.trained else None
    reader = run.reader(found)
    z = represent(reader, inputs.x, world.device)
    rows = np.setdiff1d(np.flatnonzero(y >= 0), held_out(manifest))
    learnt = probe(z[rows], y[rows], len(inputs.classes))
    right, counts = hits(learnt.logits(z[tested(inputs)]).argmax(1), y[tested(inputs)], len(inputs.classes))
    steps = found.best if found else 0
    return Final(reader, learnt, steps, len(rows), 100 * float(right.sum() / counts.sum()))


def tested(inputs: Inputs) -> Rows:
    """The labelled samples of the held-out test split."""
    rows = held_out(inputs.manifest)
    return rows[inputs.y[rows] >= 0]
