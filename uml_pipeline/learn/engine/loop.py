"""The loop: batch, losses, step; every so often a look at the validation samples, and a checkpoint. Several runs of one
shape may learn at once: a task then has stacked weights, and each run is judged, kept and stopped as if it were alone.

Randomness is a function of (seed, step, part, process), never of what ran before: so a run that was killed goes on
from its last checkpoint to the same bits, and a modality that joins or leaves disturbs no other.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from uml_pipeline.learn.engine import randomness
from uml_pipeline.learn.engine.config import EngineConfig
from uml_pipeline.learn.engine.state import State
from uml_pipeline.learn.engine.world import World
from uml_pipeline.progress import Advance
from uml_pipeline.workers import each

Facts = dict[str, float]


@dataclass(frozen=True)
class Judgement:
    """A look at the validation samples: what decides (lower is better), and what else was seen."""

    score: float
    facts: Facts = field(default_factory=dict)


class Task(Protocol):
    """What is learnt. The engine knows nothing of modalities, heads or classes."""

    model: nn.Module
    """All weights; those of several runs are [run, ...]. Its `forward` takes what `draw` gives; it is called once for
    each part of a batch."""
    runs: int
    """Trainings that go on at once; no weight of one depends on another."""

    def groups(self) -> list[dict[str, Any]]:
        """Parameter groups for AdamW, each with its `weight_decay` and `lr_scale`."""

    def heavy(self) -> list[nn.Module]:
        """Parts of the model that are worth compiling. What `observe` differentiates must stay outside."""

    def draw(self, step: int, part: int, world: World) -> Any:
        """Samples of this process for one part of a step's batch, on the CPU. Called in threads, ahead of the step: it
        must not use torch's global random numbers.
        """

    def size(self, drawn: Any) -> int:
        """How many samples or tokens that are, of all runs."""

    def losses(self, model: nn.Module, drawn: Any, world: World) -> dict[str, Tensor]:
        """Losses of these samples, each already divided by the size of the whole batch (of all parts and processes),
        so that they add up to the mean over it; those of several runs are [run]. What is minimised is their sum.
        """

    def observe(self, losses: Mapping[str, Tensor], world: World) -> list[Facts]:
        """What is worth noting about each run's losses before they are added: at looks alone."""

    def judge(self, model: nn.Module, world: World) -> list[Judgement]:
        """Look at the validation samples of each run."""


@dataclass(frozen=True)
class Fit:
    """A finished training."""

    weights: dict[str, Tensor]
    """State dict of the model at its best look, on the CPU; of one run among several: [1, ...]."""
    score: float
    best: int
    """Steps that had been taken at the best look."""
    history: list[Facts]
    """One entry a look: `step`, `score`, `rate`, the mean of each loss since the look before, and what the task saw."""


def fit(
    task: Task,
    config: EngineConfig,
    seed: int,
    *,
    world: World | None = None,
    checkpoint: Path | None = None,
    advance: Advance = lambda count, taken=0: None,
) -> Fit:
    """Train one run: see `fit_all`."""
    [found] = fit_all(task, config, seed, world=world, checkpoint=checkpoint, advance=advance)
    return found


def fit_all(
    task: Task,
    config: EngineConfig,
    seed: int,
    *,
    world: World | None = None,
    checkpoint: Path | None = None,
    advance: Advance = lambda count, taken=0: None,
) -> list[Fit]:
    """Train until the steps are used up or no run improves any more; each run's best look comes back.

    Args:
        task: see Task.
        config: see EngineConfig.
        seed: of everything random in the network that draws from torch's global numbers, such as its Dropout layers.
        world: the processes that train together; all call this with the same arguments.
        checkpoint: file to go on from, and to save to (first process); the caller removes it when all is done.
        advance: told how many steps were taken, and of how many samples or tokens, for a progress bar.
    """
    world = world or World()
    with _quiet_random(world.device):
        state = State.begin(task, config, world)
        if checkpoint and checkpoint.is_file():
            state.read(checkpoint)
            advance(state.step)
        if state.step == 0:
            state.look(task, [], world)  # so that training never ends worse than it began
        _train(task, state, seed, world, checkpoint, advance)
        return [Fit(one.weights, one.score, one.best, one.history) for one in state.tracks]


def _train(task: Task, state: State, seed: int, world: World, checkpoint: Path | None, advance: Advance) -> None:
    config = state.config

    def drawn(step: int) -> list[Any]:
        return [task.draw(step, part, world) for part in range(config.accumulate)]

    steps = range(state.step, config.steps) if not state.stopped else range(0)
    for step, parts in zip(steps, each(drawn, steps), strict=True):
        looking = (step + 1) % config.look_every == 0 or step + 1 == config.steps
        seen = _step(task, state, parts, (seed, step), world, looking)
        advance(1, world.size * sum(map(task.size, parts)))
        if looking:
            state.look(task, seen, world)
        if checkpoint and world.first and ((step + 1) % config.save_every == 0):
            state.write(checkpoint)
        if state.stopped:
            break


def _step(
    task: Task, state: State, parts: list[Any], seed: tuple[int, int], world: World, looking: bool
) -> list[Facts]:
    """One optimiser step, its batch computed in parts."""
    seen: list[Facts] = []
    for place, part in enumerate(parts):
        randomness.seed(*seed, place, world.rank)
        last = place + 1 == len(parts)
        with _unsynchronised(state.net, world, last):
            with _precision(state.config, world):
                losses = task.losses(state.net, part, world)
            if looking and place == 0:
                seen = task.observe(losses, world)
            # DDP takes the mean over the processes of what is a sum over them
            (sum(losses.values(), torch.zeros((), device=world.device)).sum() * world.size).backward()
        state.note({name: loss.detach() for name, loss in losses.items()})
    state.update()
    return seen


def _precision(config: EngineConfig, world: World) -> Any:
    return torch.autocast(world.device.type, torch.bfloat16, enabled=config.precision == "bfloat16")


def _unsynchronised(net: nn.Module, world: World, last: bool) -> Any:
    """Gradients are exchanged between processes once a step, at its last part."""
    return nullcontext() if last or world.size == 1 else net.no_sync()  # type: ignore[operator]


@contextmanager
def _quiet_random(device: torch.device) -> Iterator[None]:
    """Leave torch's random numbers and cuDNN's choices to the caller as they were."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices), torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        yield
