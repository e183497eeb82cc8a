"""All that changes while a training runs: what a checkpoint holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from uml_pipeline.learn.engine import checkpoint
from uml_pipeline.learn.engine.config import EngineConfig
from uml_pipeline.learn.engine.optimizer import adamw, moments, restore, set_rate
from uml_pipeline.learn.engine.schedule import factor
from uml_pipeline.learn.engine.world import World

if TYPE_CHECKING:
    from uml_pipeline.learn.engine.loop import Task


class State:
    """Weights, their average, the optimiser's moments, the best look so far, and the history."""

    def __init__(self, model: nn.Module, net: nn.Module, optimizer: torch.optim.AdamW, config: EngineConfig) -> None:
        self.model, self.net, self.optimizer, self.config = model, net, optimizer, config
        self.average = _average(model, config)
        self.step = 0
        self.best_score, self.best_step = float("inf"), 0
        self.best_weights: dict[str, Tensor] = {}
        self.history: list[dict[str, float]] = []
        self._sums: dict[str, Tensor] = {}
        self._since = 0  # steps since the last look

    @classmethod
    def begin(cls, task: "Task", config: EngineConfig, world: World) -> Self:
        """Before the first step. `net` is the model as it is called: spread over processes, if there are several."""
        model = task.model.to(world.device)
        state = cls(model, world.wrap(model), adamw(task.groups()), config)
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
        """Whether too many looks in a row saw nothing better."""
        return self.step - self.best_step >= self.config.patience * self.config.look_every

    def note(self, losses: dict[str, Tensor]) -> None:
        """Add the losses of one part of a batch."""
        for name, loss in losses.items():
            self._sums[name] = self._sums.get(name, torch.zeros_like(loss)) + loss

    def update(self) -> None:
        """Take the optimiser's step with the gradients that are there."""
        config = self.config
        if config.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), config.clip)
        set_rate(self.optimizer, config.learning_rate * factor(self.step, config.steps, config.warm_up))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self.average:
            self.average.update_parameters(self.model)
        self.step += 1
        self._since += 1

    def look(self, task: "Task", seen: dict[str, float], world: World) -> None:
        """Judge the weights, note everything, keep them if they are the best: the first of equals."""
        self.judged.eval()
        with torch.inference_mode():
            judgement = task.judge(self.judged, world)
        self.model.train()
        means = {name: float(world.sum(total / max(1, self._since))) for name, total in self._sums.items()}
        rate = self.config.learning_rate * factor(max(0, self.step - 1), self.config.steps, self.config.warm_up)
        self.history.append(
            {"step": self.step, "score": judgement.score, "rate": rate, **means, **judgement.facts, **seen}
        )
        self._sums, self._since = {}, 0
        if not self.best_weights or judgement.score < self.best_score:
            self.best_score, self.best_step = judgement.score, self.step
            self.best_weights = {name: one.detach().cpu().clone() for name, one in self.judged.state_dict().items()}

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
                "best": {"score": self.best_score, "step": self.best_step, "weights": self.best_weights},
                "history": self.history,
            },
        )

    def read(self, path: Path) -> None:
        """Go on from where `write` was."""
        saved: dict[str, Any] = checkpoint.load(path)
        self.model.load_state_dict(saved["model"])
        if self.average:
            self.average.load_state_dict(saved["average"])
        restore(self.optimizer, saved["moments"])
        self.step, self._since, self.history = saved["step"], saved["since"], saved["history"]
        device = next(self.model.parameters()).device
        self._sums = {name: one.to(device) for name, one in saved["sums"].items()}
        best = saved["best"]
        self.best_score, self.best_step, self.best_weights = best["score"], best["step"], best["weights"]


def _average(model: nn.Module, config: EngineConfig) -> AveragedModel | None:
    if config.ema is None:
        return None
    # buffers, too: the averaged weights have other activations than the last ones
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.ema), use_buffers=True)
