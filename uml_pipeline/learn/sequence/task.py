"""Next-step prediction of all modalities as a task for the engine: L = sum over modalities of weight * loss. Several
runs of one shape learn at once, each from its own sequences, as if it were alone.
"""

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
from uml_pipeline.learn.sequence.dropout import Masks, generators, masks
from uml_pipeline.learn.sequence.monitors import effective_rank
from uml_pipeline.learn.sequence.network import SharedNetwork
from uml_pipeline.learn.sequence.ragged import Ragged

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
class Lesson:
    """What one run learns from. The first source is the target. One of weight 0 takes no part at all, so that the
    others get the same bits as without it.
    """

    sources: Mapping[str, Source]
    val: Sequence[Tensor]  # target sequences to look at
    seed: int

    def streams(self) -> dict[str, Stream]:
        """Of each source that takes part its batches, from a stream of its own."""
        return {
            name: Stream(len(one.sequences), one.batch, (self.seed, BATCHES, crc32(name.encode())))
            for name, one in self.sources.items()
            if one.weight > 0
        }


@dataclass(frozen=True)
class Drawn:
    """One part of a step's batch: sequences by modality, and how many the whole step has of each."""

    step: int
    part: int
    batches: Mapping[str, Ragged]
    counts: Mapping[str, Tensor]  # [run]


class Prediction:
    """See Task of the engine."""

    def __init__(
        self,
        model: SharedNetwork,
        lessons: Sequence[Lesson],
        config: EngineConfig,
        *,
        curriculum: Curriculum = Curriculum(),
        keep: Literal["last", "best"] = "last",
    ) -> None:
        """`model`: the stack of all runs' networks; their lessons have the same sources, with the same ratios, of which
        the same take part. `keep`: the weights after the last step, as the paper does; or those of the look with the
        lowest loss on `val`, of those when everybody learns.
        """
        self.model: nn.Module = model
        self.runs = len(lessons)
        self._stack, self._lessons, self._config = model, lessons, config
        self._streams = [one.streams() for one in lessons]
        self._names = list(self._streams[0])
        assert all(list(one) == self._names for one in self._streams)
        self._target = next(iter(lessons[0].sources))
        self._curriculum, self._keep, self._taken = curriculum, keep, 0

    def check(self, world: World) -> None:
        """See `require_parts`."""
        every = [stream for own in self._streams for stream in own.values()]
        require_parts(every, self._config.accumulate * world.size, "ssl")

    def groups(self) -> list[dict[str, Any]]:
        """See Task."""
        groups = plain_groups(self.model, self._config.weight_decay, stacked=True)
        return [group | {"fused": True} for group in groups]  # reads weights and moments once, not ten times

    def heavy(self) -> list[nn.Module]:
        """See Task."""
        return list(self._stack.shared.blocks)

    def draw(self, step: int, part: int, world: World) -> Drawn:
        """See Task."""
        batches, counts = {}, {}
        for name in self._names:
            numbers = self._curriculum.batches(name, step, self._lessons[0].sources[name].ratio)
            if numbers:
                rows = [np.concatenate([own[name].rows(one) for one in numbers]) for own in self._streams]
                own = [world.share(one[part :: self._config.accumulate]) for one in rows]
                batches[name] = Ragged.of(
                    [
                        [lesson.sources[name].sequences[row] for row in some]
                        for lesson, some in zip(self._lessons, own, strict=True)
                    ]
                )
                counts[name] = torch.tensor([len(one) for one in rows])
        return Drawn(step, part, batches, counts)

    def size(self, drawn: Drawn) -> int:
        """See Task. Steps of the sequences: tokens."""
        return int(sum(batch.lengths.sum() for batch in drawn.batches.values()))

    def losses(self, model: nn.Module, drawn: Drawn, world: World) -> dict[str, Tensor]:
        """See Task. [run] by modality."""
        self._taken = drawn.step + 1
        batches = {name: batch.to(world.device) for name, batch in drawn.batches.items()}
        found = model(batches, self._masks(batches, drawn, world))
        return {name: self._weights(name, drawn).to(world.device) * losses.sum(1) for name, losses in found.items()}

    def observe(self, losses: Mapping[str, Tensor], world: World) -> list[dict[str, float]]:
        """See Task. Cosines of the modalities' gradients on the shared module's first layer; none where the blocks
        behind it are compiled, which can be differentiated once alone.
        """
        if len(losses) < 2 or self._config.compile:
            return [{} for _ in self._lessons]
        found = cosines(losses, self._stack.shared.mix.weight, world, self.runs)
        return [{f"cosine {pair}": value for pair, value in one.items()} for one in found]

    def judge(self, model: nn.Module, world: World) -> list[Judgement]:
        """See Task. The target's loss on the validation sequences, and the effective rank of their representations."""
        assert isinstance(model, SharedNetwork)
        losses: list[list[Tensor]] = [[] for _ in self._lessons]
        pooled: list[list[Tensor]] = [[] for _ in self._lessons]
        for start in range(0, max(len(one.val) for one in self._lessons), _AT_ONCE):
            batch = Ragged.of([one.val[start : start + _AT_ONCE] for one in self._lessons]).to(world.device)
            found, z = model.read(self._target, batch)
            means = batch.mean(z.float())
            for run, lesson in enumerate(self._lessons):
                count = len(lesson.val[start : start + _AT_ONCE])
                losses[run].append(found[run, :count])
                pooled[run].append(means[run, :count])
        return [self._judged(torch.cat(one), torch.cat(other)) for one, other in zip(losses, pooled, strict=True)]

    def _masks(self, batches: Mapping[str, Ragged], drawn: Drawn, world: World) -> dict[str, Masks] | None:
        """The target's first, so that the others have no say in them."""
        config = self._stack.shared.config
        if not config.dropout:
            return None
        seeds = [one.seed for one in self._lessons]
        draws = generators(seeds, (drawn.step, drawn.part, world.rank), world.device)
        return {name: masks(config, batch, draws) for name, batch in batches.items()}

    def _weights(self, name: str, drawn: Drawn) -> Tensor:
        """What each run's losses of a modality are multiplied with: [run]."""
        return torch.tensor([one.sources[name].weight for one in self._lessons]) / drawn.counts[name]

    def _judged(self, losses: Tensor, pooled: Tensor) -> Judgement:
        """Lower is better: of looks that cannot be compared by their loss, the later one."""
        loss = float(losses.mean())
        facts = {"loss": loss, "rank": effective_rank(pooled)}
        if self._keep == "last":
            return Judgement(-float(self._taken), facts)
        comparable = self._taken > 0 and self._curriculum.joint(self._taken - 1)
        return Judgement(loss if comparable else _LATE - self._taken, facts)
