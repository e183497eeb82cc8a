"""All training of a study, by one process or several: what is done stands in `.uml/finetune` and is not done again."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.learn.engine.loop import Fit
from uml_pipeline.learn.engine.world import World
from uml_pipeline.learn.splits import Episode, held_out, is_clean
from uml_pipeline.progress import Advance, progress
from uml_pipeline.study import Study
from uml_pipeline.trunk.admission import drawn_episodes
from uml_pipeline.trunk.cells import Cell
from uml_pipeline.trunk.decision import Decision
from uml_pipeline.trunk.finetune.arms import Arm, arms
from uml_pipeline.trunk.finetune.cells import solve
from uml_pipeline.trunk.finetune.inputs import Inputs, gather
from uml_pipeline.trunk.finetune.runs import Run
from uml_pipeline.trunk.recipes import Recipe, decide
from uml_pipeline.trunk.unfinished import key, root


@dataclass(frozen=True)
class Outcome:
    """All that was trained."""

    inputs: Inputs
    lineup: list[Arm]
    cells: list[Cell]
    decision: Decision[Recipe[Arm]]
    ships: tuple[Run, Fit]  # trained on the whole training split
    baseline: tuple[Run, Fit]


def compute(study: Study, world: World) -> Outcome:
    """Every arm on every episode; then what ships, and the baseline, on the whole training split.

    Raises:
        UserError: an upstream artifact is missing, the policy blocks a silo, or the target cannot be learnt.
    """
    inputs = gather(study)
    config = study.params.trunk.finetune
    lineup = arms(config, [one.name for one in inputs.used], [one.name for one in inputs.forced])
    drawn = draw(study, inputs)
    folder = root(study) / key(study)
    if world.first:
        folder.mkdir(parents=True, exist_ok=True)
    world.wait()
    runs = len(drawn) * sum(len(arm.settings) for arm in lineup) + 2
    with progress("fine-tuning, steps", runs * config.steps, unit="samples", shown=world.first) as advance:
        cells = [solve(inputs, arm, episode, folder, world, advance) for episode in drawn for arm in lineup]
        clean = {(one.shots, one.seed) for one in drawn if is_clean(one, inputs.manifest)}
        most = max(episode.shots for episode in drawn)
        decision = decide(lineup, [one for one in cells if one.shots == most and (one.shots, one.seed) in clean])
        ships = _whole(inputs, decision.ships, folder, world, advance)
        same = decision.ships == decision.baseline
        baseline = ships if same else _whole(inputs, decision.baseline, folder, world, advance)
    return Outcome(inputs, lineup, cells, decision, ships, baseline)


def draw(study: Study, inputs: Inputs) -> list[Episode]:
    """All episodes, fewest shots first.

    Raises:
        UserError: a side of the split is empty, or so few seeds that nothing could be judged off the test split.
    """
    manifest = inputs.manifest
    for side in ("train", "val", "test"):
        if not (manifest["split"] == side).any():
            fix = "give the silo more labelled samples, or a column `split` with all three sides"
            raise UserError(f"no labelled sample of {study.target!r} is on the side {side!r}", fix=fix)
    return drawn_episodes(study, manifest)


def _whole(inputs: Inputs, recipe: Recipe[Arm], folder: Path, world: World, advance: Advance) -> tuple[Run, Fit]:
    """The recipe on the training split, stopped by the validation split."""
    split = inputs.manifest["split"]
    train, val = (np.flatnonzero(split == side) for side in ("train", "val"))
    assert not np.isin(np.concatenate([train, val]), held_out(inputs.manifest)).any()
    run = Run(inputs, recipe.arm, recipe.setting, train, val, 0, folder / f"whole-{recipe.arm.name}")
    return run, run.train_on(world, advance)
