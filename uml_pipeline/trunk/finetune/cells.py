"""One arm on one episode: its settings trained, one chosen by validation, and what that one recognises."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uml_pipeline.learn.engine.loop import Fit
from uml_pipeline.learn.engine.world import World
from uml_pipeline.learn.splits import Episode, held_out
from uml_pipeline.trunk.finetune.arms import Arm, Setting
from uml_pipeline.trunk.finetune.inputs import Inputs
from uml_pipeline.trunk.finetune.predict import hits, logits_of
from uml_pipeline.trunk.finetune.runs import Run
from uml_pipeline.trunk.finetune.samples import Rows
from uml_pipeline.workspace import read_json, write_json

MOST_JUDGES = 16  # samples a class that decide what ships: more cost time and change little
JUDGES = 8  # stream of random numbers, beside a run's seed
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Cell:
    """The outcome. Counts are of samples recognised and of all, by class."""

    arm: str
    shots: int
    seed: int
    settings: list[dict[str, Any]]  # each `setting`, `score`, `best` (steps) and `history`
    chosen: int
    accuracy: float  # of the chosen one on validation, percent
    judged: tuple[Counts, Counts]  # labelled samples off the test split that neither trained nor validated
    test: tuple[Counts, Counts]

    @property
    def setting(self) -> Setting:
        """The chosen one."""
        return Setting(**self.settings[self.chosen]["setting"])


def solve(
    inputs: Inputs, arm: Arm, episode: Episode, folder: Path, world: World, advance: Callable[[int], None]
) -> Cell:
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
        seen = recognised(runs[chosen], fits[chosen], [judges(inputs, episode), episode.test], world)
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


def judges(inputs: Inputs, episode: Episode) -> Rows:
    """Labelled samples off the test split that the episode neither trains nor validates on, some of each class; its
    validation samples where there are none.
    """
    taken = np.concatenate([episode.train, episode.val, episode.test, held_out(inputs.manifest)])
    rest = np.setdiff1d(np.arange(len(inputs.y)), taken)
    order = np.random.default_rng([episode.seed, JUDGES]).permutation(rest)
    by_class = [order[inputs.y[order] == one][:MOST_JUDGES] for one in range(len(inputs.classes))]
    return np.sort(np.concatenate(by_class)) if len(rest) else episode.val


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
