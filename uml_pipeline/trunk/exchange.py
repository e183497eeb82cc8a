"""Accuracy over a grid of target and auxiliary samples a class: what an exchange rate is read from (UML, sec. 4.4)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from uml_pipeline.learn.splits import Episode, first_of
from uml_pipeline.learn.workers import each
from uml_pipeline.progress import progress
from uml_pipeline.trunk.arms import Setting, Solved
from uml_pipeline.trunk.compare import Inputs
from uml_pipeline.trunk.config import ExchangeConfig
from uml_pipeline.trunk.probe import Result, hits
from uml_pipeline.trunk.problem import build
from uml_pipeline.trunk.silos import Silo

COLUMNS = ["silo", "method", "shots", "seed", "level", "auxiliary", "words", "correct", "samples"]


@dataclass(frozen=True)
class _Job:
    """One silo on one split: all its amounts of auxiliary samples."""

    arm: Solved
    setting: Setting
    silo: Silo
    bridges: tuple[Silo, ...]
    episode: Episode
    levels: tuple[int, ...]


def measure(
    inputs: Inputs, drawn: Sequence[Episode], results: Sequence[Result], config: ExchangeConfig
) -> pd.DataFrame:
    """One row a silo, split, number of shots and number of auxiliary samples.

    The arm is the one of UML's without gradient steps whose validation log-loss is lowest where labels are scarcest,
    with the setting that validation chose most often at that number of shots: so every cell costs one solution. It
    reads one silo at a time, and whatever bridges it has; each split draws its own auxiliary samples, nested.

    Columns: `level` is the number asked for, `auxiliary` the mean number a class of the target really has, `words`
    (texts) how many words a class they have; `correct` of `samples` test samples were recognised.
    """
    arm = _best(results)
    silos = [silo for silo in inputs.auxiliary if arm and silo.name in arm.silos and not silo.bridges(inputs.target)]
    episodes = [one for one in drawn if one.seed < config.splits]
    if arm is None or not silos or not episodes:
        return pd.DataFrame(columns=COLUMNS)
    bridges = tuple(silo for silo in inputs.auxiliary if silo.name in arm.silos and silo.bridges(inputs.target))
    jobs = [
        _Job(arm, _usual(arm, results, one.shots), silo, bridges, one, _levels(silo, config.auxiliary))
        for silo in silos
        for one in episodes
    ]
    rows: list[dict[str, Any]] = []
    with progress("exchange rate", len(jobs)) as advance:
        for found in each(lambda job: list(_measured(inputs, job)), jobs):
            rows += found
            advance(1)
    return pd.DataFrame(rows, columns=COLUMNS)


def _best(results: Sequence[Result]) -> Solved | None:
    fewest = min(one.episode.shots for one in results)
    losses: dict[str, list[float]] = {}
    arms: dict[str, Solved] = {}
    for one in results:
        if one.episode.shots == fewest and one.arm.kind == "uml" and isinstance(one.arm, Solved):
            losses.setdefault(one.arm.name, []).append(one.fits[one.chosen].loss)
            arms[one.arm.name] = one.arm
    return arms[min(losses, key=lambda name: float(np.mean(losses[name])))] if arms else None


def _usual(arm: Solved, results: Sequence[Result], shots: int) -> Setting:
    chosen = [one.chosen for one in results if one.arm.name == arm.name and one.episode.shots == shots]
    return arm.settings[int(np.bincount(chosen).argmax())]


def _levels(silo: Silo, wanted: Sequence[int]) -> tuple[int, ...]:
    """None, those asked for, and all: how many samples the largest class has."""
    most = int(silo.manifest["label"].value_counts().max())
    return (0, *sorted({one for one in wanted if one < most}), most)


def _measured(inputs: Inputs, job: _Job) -> Iterator[dict[str, Any]]:
    target, episode = inputs.target, job.episode
    y = target.index(inputs.classes)
    for level in job.levels:
        silo = _some(job.silo, level, episode.seed)
        read = (silo, *job.bridges) if level else job.bridges
        problem = build(target, read, inputs.classes, episode.train, episode.val, episode.seed)
        arm = replace(job.arm, silos=tuple(one.name for one in read))
        head = arm.refit(problem, job.setting, 0)
        correct, counts = hits(head, problem.look_at(target.x[episode.test], y[episode.test]))
        yield {
            "silo": job.silo.name,
            "method": job.arm.name,
            "shots": episode.shots,
            "seed": episode.seed,
            "level": level,
            "auxiliary": _a_class(silo, inputs.classes),
            "words": _a_class(silo, inputs.classes, "words") if "words" in silo.manifest else None,
            "correct": int(correct.sum()),
            "samples": int(counts.sum()),
        }


def _some(silo: Silo, level: int, seed: int) -> Silo:
    """At most `level` samples of each class: the first of a random order, so that more contain fewer."""
    rows, labels = np.arange(len(silo.manifest)), silo.manifest["label"].to_numpy()
    kept = first_of(rows, labels, level, np.random.default_rng([seed, 2]))
    return replace(silo, manifest=silo.manifest.iloc[kept].reset_index(drop=True), x=silo.x[kept])


def _a_class(silo: Silo, classes: Sequence[str], column: str | None = None) -> float:
    """Samples, or the sum of a column, for each class of the target on average."""
    known = silo.index(classes) >= 0
    return float((silo.manifest.loc[known, column].sum() if column else known.sum()) / len(classes))
