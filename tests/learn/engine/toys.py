"""A task small enough for every test: a line through points, with dropout and a norm."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from uml_pipeline.learn.engine.config import EngineConfig
from uml_pipeline.learn.engine.loop import Judgement
from uml_pipeline.learn.engine.optimizer import plain_groups
from uml_pipeline.learn.engine.streams import Stream
from uml_pipeline.learn.engine.world import World

SAMPLES = 24
CONFIG = EngineConfig(steps=12, warm_up=3, learning_rate=1e-2, look_every=4, save_every=5, patience=9, device="cpu")


class Points:
    """Two losses that share their first layer."""

    def __init__(self, dropout: float = 0.2, batch: int = 8, parts: int = 1, seed: int = 0) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.x = torch.randn(SAMPLES, 4, generator=draw)
        self.y = self.x.sum(1, keepdim=True)
        self.stream = Stream(SAMPLES, batch, (seed, 1))
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            self.model: nn.Module = Two(dropout)
        self.runs = 1
        self.looks, self.parts = 0, parts

    def groups(self) -> list[dict[str, Any]]:
        return plain_groups(self.model, 0.1)

    def heavy(self) -> list[nn.Module]:
        return [self.model]

    def draw(self, step: int, part: int, world: World) -> tuple[int, Tensor]:
        return step, torch.from_numpy(world.share(self.stream.rows(step)[part :: self.parts]))

    def size(self, drawn: tuple[int, Tensor]) -> int:
        return len(drawn[1])

    def losses(self, model: nn.Module, drawn: tuple[int, Tensor], world: World) -> dict[str, Tensor]:
        _, rows = drawn
        one, other = model(self.x[rows])
        share = 1 / self.stream.size
        return {
            "one": share * mse_loss(one, self.y[rows], reduction="sum"),
            "other": share * mse_loss(other, -self.y[rows], reduction="sum"),
        }

    def observe(self, losses: Mapping[str, Tensor], world: World) -> list[dict[str, float]]:
        return [{"seen": 1.0}]

    def judge(self, model: nn.Module, world: World) -> list[Judgement]:
        assert not model.training
        self.looks += 1
        one, _ = model(self.x)
        return [Judgement(float(mse_loss(one, self.y)), {"look": float(self.looks)})]


class Two(nn.Module):
    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.GELU(), nn.Dropout(dropout))
        self.one, self.other = nn.Linear(8, 1), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        z = self.first(x)
        return self.one(z), self.other(z)
