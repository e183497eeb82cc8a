"""Trainings of one shape learn at once: other seeds, other arms, other weights of the loss, for the price of few."""

from collections.abc import Sequence

import numpy as np
import torch

from uml_pipeline.learn.engine.loop import fit_all
from uml_pipeline.learn.engine.world import World
from uml_pipeline.learn.sequence.config import NetworkConfig
from uml_pipeline.learn.sequence.network import shape
from uml_pipeline.learn.sequence.stacked import stack
from uml_pipeline.learn.sequence.task import Lesson, Prediction
from uml_pipeline.progress import Advance
from uml_pipeline.trunk.ssl.runs import Run
from uml_pipeline.workspace import fingerprint_of

_AT_ONCE = {"cpu": 1_000_000, "cuda": 50_000_000}
"""Numbers in the layers of one block, of all runs: more are not quicker on two cores (see benchmarks/ssl.py), and on a
GPU take memory.
"""

_BESIDE = 8  # widths in a block, beside its hidden layer


def train_all(runs: Sequence[Run], world: World, advance: Advance) -> None:
    """Train what is not done, or go on where it was killed; `advance` is told the steps of all runs.

    Raises:
        UserError: a batch is too small for the parts it is computed in.
    """
    for some in stacks(runs, world.device):
        missing = some[0].config.steps * len(some)
        if not all(one.done for one in some):
            missing -= _train(some, world, advance)
        advance(missing)


def stacks(runs: Sequence[Run], device: torch.device) -> list[list[Run]]:
    """Who is trained beside whom. It follows from the runs and the kind of device, never from what is done already: so
    a killed sweep goes on to the same bits.
    """
    kinds: dict[object, list[Run]] = {}
    for one in runs:
        kinds.setdefault((one.setting.learning_rate, shape(one.modalities())), []).append(one)
    return [some for own in kinds.values() for some in _parted(own, device)]


def _train(runs: list[Run], world: World, advance: Advance) -> int:
    """Steps of all runs that were taken."""
    config, network = runs[0].config, stack([one.network() for one in runs])
    lessons = [one.lesson() for one in runs]
    task = Prediction(network, lessons, config, curriculum=runs[0].curriculum(), keep=config.keep)
    task.check(world)
    at = runs[0].folder.parent / f"{fingerprint_of([one.folder.name for one in runs])[:16]}.safetensors"

    def tell(count: int, taken: int = 0) -> None:
        advance(count * len(runs), taken)

    every = fit_all(task, config, 0, world=world, checkpoint=at, advance=tell)
    if world.first:
        for one, found in zip(runs, every, strict=True):
            one.keep(found)
        at.unlink(missing_ok=True)
    world.wait()
    return len(runs) * max(int(found.history[-1]["step"]) for found in every)


def _parted(runs: list[Run], device: torch.device) -> list[list[Run]]:
    """Parts as equal as can be, none larger than is quick."""
    most = min(at_once(run.config.network, run.lesson(), device) for run in runs)
    parts = np.array_split(np.arange(len(runs)), -(-len(runs) // most))
    return [[runs[place] for place in part] for part in parts]


def at_once(network: NetworkConfig, lesson: Lesson, device: torch.device) -> int:
    """How many runs such as this are quickest at once: many where a step costs more to say than to compute, one where
    a run alone keeps all cores busy.
    """
    steps = max(one.batch * np.mean([len(own) for own in one.sequences]) for one in lesson.sources.values())
    numbers = steps * (network.hidden + _BESIDE * network.width)
    return max(1, int(_AT_ONCE[device.type] // numbers))
