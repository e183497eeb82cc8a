"""Next-step prediction of all modalities as a task for the engine: L = sum over modalities of weight * loss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal
from zlib import crc32

import numpy as np
import torch
from torch import Tensor, nn

from uml_pipeline.learn.engine.config import EngineConfig
from uml_pipeline.learn.engine.conflict import cosines
from uml_pipeline.learn.engine.loop import Judgement
from uml_pipeline.learn.engine.optimizer import plain_groups
from uml_pipeline.learn.engine.streams import Stream, require_parts
from uml_pipeline.learn.engine.world import World
from uml_pipeline.learn.sequence.curriculum import Curriculum
from uml_pipeline.learn.sequence.monitors import effective_rank
from uml_pipeline.learn.sequence.network import SharedNetwork
from uml_pipeline.learn.sequence.ragged import Ragged
from uml_pipeline.workers import chunks

BATCHES = 3  # stream of random numbers, beside a run's seed
_AT_ONCE = 64  # sequences
_LATE = 1e9  # a score that any loss beats


@dataclass(frozen=True)
class Source:
    """A modality's training sequences, and its part in the loss."""

    sequences: Sequence[Tensor]
    batch: int
    weight: float = 1.0
    ratio: Fraction = Fraction(1)  # its batches a step


@dataclass(frozen=True)
class Drawn:
    """One part of a step's batch: sequences by modality, and how many the whole step has of each."""

    step: int
    batches: Mapping[str, Ragged]
    counts: Mapping[str, int]


class Prediction:
    """See Task of the engine. The first source is the target; every modality draws its batches from a stream of its
    own. One of weight 0 takes no part at all, so that the others get the same bits as without it.
    """

    def __init__(
        self,
        model: SharedNetwork,
        sources: Mapping[str, Source],
        val: Sequence[Tensor],
        config: EngineConfig,
        seed: int,
        *,
        curriculum: Curriculum = Curriculum(),
        keep: Literal["last", "best"] = "last",
    ) -> None:
        """`val`: target sequences to look at. `keep`: the weights after the last step, as the paper does; or those of
        the look with the lowest loss on `val`, of those when everybody learns.
        """
        self.model: nn.Module = model
        self._network, self._val, self._config = model, val, config
        self._target = next(iter(sources))
        self._sources = {name: one for name, one in sources.items() if one.weight > 0}
        self._streams = {
            name: Stream(len(one.sequences), one.batch, (seed, BATCHES, crc32(name.encode())))
            for name, one in self._sources.items()
        }
        self._curriculum, self._keep, self._taken = curriculum, keep, 0

    def check(self, world: World) -> None:
        """See `require_parts`."""
        require_parts(self._streams.values(), self._config.accumulate * world.size, "ssl")

    def groups(self) -> list[dict[str, Any]]:
        """See Task."""
        return plain_groups(self.model, self._config.weight_decay)

    def heavy(self) -> list[nn.Module]:
        """See Task."""
        return list(self._network.shared.blocks)

    def draw(self, step: int, part: int, world: World) -> Drawn:
        """See Task."""
        batches, counts = {}, {}
        for name, source in self._sources.items():
            numbers = self._curriculum.batches(name, step, source.ratio)
            if numbers:
                rows = np.concatenate([self._streams[name].rows(one) for one in numbers])
                own = world.share(rows[part :: self._config.accumulate])
                batches[name], counts[name] = Ragged.of([source.sequences[row] for row in own]), len(rows)
        return Drawn(step, batches, counts)

    def losses(self, model: nn.Module, drawn: Drawn, world: World) -> dict[str, Tensor]:
        """See Task."""
        self._taken = drawn.step + 1
        found = model({name: batch.to(world.device) for name, batch in drawn.batches.items()})
        weights = {name: self._sources[name].weight / drawn.counts[name] for name in found}
        return {name: weights[name] * losses.sum() for name, losses in found.items()}

    def observe(self, losses: Mapping[str, Tensor], world: World) -> dict[str, float]:
        """See Task. Cosines of the modalities' gradients on the shared module's first layer; none where the blocks
        behind it are compiled, which can be differentiated once alone.
        """
        if len(losses) < 2 or self._config.compile:
            return {}
        found = cosines(losses, self._network.shared.mix.weight, world)
        return {f"cosine {pair}": value for pair, value in found.items()}

    def judge(self, model: nn.Module, world: World) -> Judgement:
        """See Task. The target's loss on the validation sequences, and the effective rank of their representations."""
        assert isinstance(model, SharedNetwork)
        reader, losses, pooled = model.reader(self._target), [], []
        for some in chunks(self._val, _AT_ONCE):
            batch = Ragged.of(some).to(world.device)
            losses.append(model({self._target: batch})[self._target])
            pooled.append(reader.pooled(batch))
        loss = float(torch.cat(losses).mean())
        return Judgement(self._score(loss), {"loss": loss, "rank": effective_rank(torch.cat(pooled))})

    def _score(self, loss: float) -> float:
        """Lower is better: of looks that cannot be compared by their loss, the later one."""
        if self._keep == "last":
            return -float(self._taken)
        comparable = self._taken > 0 and self._curriculum.joint(self._taken - 1)
        return loss if comparable else _LATE - self._taken
