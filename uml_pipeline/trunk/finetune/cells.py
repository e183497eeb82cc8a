"""One arm on one episode: its settings trained, one chosen by validation, and what that one recognises."""

import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np

from uml_pipeline.learn.engine.loop import Fit
from uml_pipeline.learn.engine.world import World
from uml_pipeline.learn.splits import Episode
from uml_pipeline.progress import Advance
from uml_pipeline.trunk.cells import Cell, Counts, judges
from uml_pipeline.trunk.finetune.arms import Arm
from uml_pipeline.trunk.finetune.inputs import Inputs
from uml_pipeline.trunk.finetune.predict import hits, logits_of
from uml_pipeline.trunk.finetune.runs import Run
from uml_pipeline.trunk.finetune.samples import Rows
from uml_pipeline.workspace import read_json, write_json


def solve(inputs: Inputs, arm: Arm, episode: Episode, folder: Path, world: World, advance: Advance) -> Cell:
    """Train all settings of an arm on an episode; the test samples are read once, by the chosen one. What is in
    `folder` already is not done again.
    """
    file = folder / f"{arm.name}-{episode.shots}-{episode.seed}.json"
    if not file.is_file():
        own = file.with_suffix("")
        runs = [
            Run(inputs, arm, setting, episode.train, episode.val, episode.seed, own / str(place))
            for place, setting in enumerate(arm.settings)
        ]
        fits = [run.train_on(world, advance) for run in runs]
        chosen = int(np.argmin([one.score for one in fits]))  # the first of equals
        seen = recognised(runs[chosen], fits[chosen], [judges(inputs.manifest, inputs.y, episode), episode.test], world)
        if world.first:
            _write(file, arm, episode, fits, chosen, seen)
            shutil.rmtree(own)
        world.wait()
    else:
        steps = inputs.study.params.trunk.finetune.steps
        advance(steps * len(arm.settings))
    return _read(file)


def recognised(run: Run, found: Fit, parts: list[Rows], world: World) -> list[tuple[Counts, Counts]]:
    """Hits and counts by class on some sets of target samples."""
    built = run.build()
    model = built.model.to(world.device)
    model.load_state_dict(found.weights)
    model.eval()
    return [hits(*logits_of(model, built.target, rows, world)) for rows in parts]


def _write(
    file: Path, arm: Arm, episode: Episode, fits: list[Fit], chosen: int, seen: list[tuple[Counts, Counts]]
) -> None:
    look = next(one for one in fits[chosen].history if one["step"] == fits[chosen].best)
    settings = [
        {"setting": asdict(setting), "score": one.score, "best": one.best, "history": one.history}
        for setting, one in zip(arm.settings, fits, strict=True)
    ]
    judged, test = ([counts.tolist() for counts in pair] for pair in seen)
    value = {"arm": arm.name, "shots": episode.shots, "seed": episode.seed, "settings": settings, "chosen": chosen}
    value |= {"accuracy": look["accuracy"], "judged": judged, "test": test}
    draft = file.with_suffix(".draft")
    write_json(draft, value)
    draft.replace(file)


def _read(file: Path) -> Cell:
    value = read_json(file)
    for name in ("judged", "test"):
        value[name] = tuple(np.array(counts, np.int64) for counts in value[name])
    return Cell(**value)
