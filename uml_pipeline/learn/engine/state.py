"""All that changes while a training runs: what a checkpoint holds."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from uml_pipeline.learn.engine import checkpoint
from uml_pipeline.learn.engine.config import EngineConfig
from uml_pipeline.learn.engine.optimizer import adamw, clip, moments, restore, set_rate
from uml_pipeline.learn.engine.schedule import factor
from uml_pipeline.learn.engine.world import World

if TYPE_CHECKING:
    from uml_pipeline.learn.engine.loop import Facts, Task


@dataclass
class Track:
    """What one run has come to: its best look, and all looks."""

    score: float = float("inf")
    best: int = 0
    """Steps at the best look."""
    weights: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    stopped: bool = False
    """Whether too many looks in a row saw nothing better: from then on nothing is kept of it."""


class State:
    """Weights, their average, the optimiser's moments, and what each run has come to."""

    def __init__(
        self, model: nn.Module, net: nn.Module, optimizer: torch.optim.AdamW, config: EngineConfig, runs: int
    ) -> None:
        self.model, self.net, self.optimizer, self.config = model, net, optimizer, config
        self.average = _average(model, config)
        self.step = 0
        self.tracks = [Track() for _ in range(runs)]
        self._sums: dict[str, Tensor] = {}
        self._since = 0  # steps since the last look

    @classmethod
    def begin(cls, task: "Task", config: EngineConfig, world: World) -> Self:
        """Before the first step. `net` is the model as it is called: spread over processes, if there are several."""
        model = task.model.to(world.device)
        state = cls(model, world.wrap(model), adamw(task.groups()), config, task.runs)
        for part in task.heavy() if config.compile else []:
            part.compile()  # in place, so that weights keep their names; the average is made, and judged, without
        model.train()
        return state

    @property
    def judged(self) -> nn.Module:
        """The weights that are looked at: the average, where one is kept."""
        return self.average.module if self.average else self.model

    @property
    def stopped(self) -> bool:
        """Whether all runs have."""
        return all(one.stopped for one in self.tracks)

    def note(self, losses: dict[str, Tensor]) -> None:
        """Add the losses of one part of a batch."""
        for name, loss in losses.items():
            self._sums[name] = self._sums.get(name, torch.zeros_like(loss)) + loss

    def update(self) -> None:
        """Take the optimiser's step with the gradients that are there."""
        config = self.config
        if config.clip:
            clip(self.model.parameters(), config.clip, len(self.tracks))
        set_rate(self.optimizer, config.learning_rate * factor(self.step, config.steps, config.warm_up))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self.average:
            self.average.update_parameters(self.model)
        self.step += 1
        self._since += 1

    def look(self, task: "Task", seen: "list[Facts]", world: World) -> None:
        """Judge the weights, note everything, keep those of each run that are its best: the first of equals."""
        self.judged.eval()
        with torch.inference_mode():
            judgements = task.judge(self.judged, world)
        self.model.train()
        means = {name: world.sum(total / max(1, self._since)).view(-1).tolist() for name, total in self._sums.items()}
        rate = self.config.learning_rate * factor(max(0, self.step - 1), self.config.steps, self.config.warm_up)
        for run, (track, judgement) in enumerate(zip(self.tracks, judgements, strict=True)):
            if track.stopped:
                continue
            facts = {name: one[run] for name, one in means.items()} | judgement.facts | (seen[run] if seen else {})
            track.history.append({"step": self.step, "score": judgement.score, "rate": rate, **facts})
            if not track.weights or judgement.score < track.score:
                track.score, track.best, track.weights = judgement.score, self.step, self._weights(run)
            track.stopped = self.step - track.best >= self.config.patience * self.config.look_every
        self._sums, self._since = {}, 0

    def _weights(self, run: int) -> dict[str, Tensor]:
        """What is judged of one run, on the CPU."""
        state, alone = self.judged.state_dict(), len(self.tracks) == 1
        return {name: (one if alone else one[run : run + 1]).detach().cpu().clone() for name, one in state.items()}

    def write(self, path: Path) -> None:
        """Save everything."""
        checkpoint.save(
            path,
            {
                "step": self.step,
                "since": self._since,
                "sums": self._sums,
                "model": self.model.state_dict(),
                "average": self.average.state_dict() if self.average else {},
                "moments": moments(self.optimizer),
                "tracks": [vars(one) for one in self.tracks],
            },
        )

    def read(self, path: Path) -> None:
        """Go on from where `write` was."""
        saved: dict[str, Any] = checkpoint.load(path)
        self.model.load_state_dict(saved["model"])
        if self.average:
            self.average.load_state_dict(saved["average"])
        restore(self.optimizer, saved["moments"])
        self.step, self._since, self.tracks = saved["step"], saved["since"], [Track(**one) for one in saved["tracks"]]
        device = next(self.model.parameters()).device
        self._sums = {name: one.to(device) for name, one in saved["sums"].items()}


def _average(model: nn.Module, config: EngineConfig) -> AveragedModel | None:
    if config.ema is None:
        return None
    # buffers, too: the averaged weights have other activations than the last ones
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.ema), use_buffers=True)
