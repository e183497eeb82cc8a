"""UML's joint loss as a task for the engine: L = CE(target) + alpha * mean over silos of CE(silo) (UML, sec. 1.1)."""

import zlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from uml_pipeline.learn.calibration import calibrated
from uml_pipeline.learn.engine.conflict import cosines
from uml_pipeline.learn.engine.loop import Judgement
from uml_pipeline.learn.engine.optimizer import plain_groups
from uml_pipeline.learn.engine.streams import Stream, require_parts
from uml_pipeline.learn.engine.world import World
from uml_pipeline.trunk.finetune.build import Built
from uml_pipeline.trunk.finetune.config import FinetuneConfig
from uml_pipeline.trunk.finetune.encoding import Encoding
from uml_pipeline.trunk.finetune.network import TARGET, SharedHead
from uml_pipeline.trunk.finetune.predict import logits_of
from uml_pipeline.trunk.finetune.samples import Batch, Raw, Rows, Vectors

OWN, AUXILIARY, AUGMENT = 2, 3, 4  # streams of random numbers, beside a run's seed


class Finetuning:
    """See Task of the engine. Every modality draws its batches from a stream of its own, so that none disturbs
    another: with alpha 0 the target's path gets the same bits as alone.
    """

    def __init__(self, built: Built, train: Rows, val: Rows, alpha: float, config: FinetuneConfig, seed: int) -> None:
        self.model: nn.Module = built.model
        self.runs = 1
        self.resting = False  # whether the encoder rests: the target's samples are then its features
        self._built, self._train, self._val = built, train, val
        self._alpha, self._config, self._seed = alpha, config, seed
        self._streams = {TARGET: Stream(len(train), config.batch, (seed, OWN))}
        for name, source in built.silos.items():
            own = (seed, AUXILIARY, zlib.crc32(name.encode()))
            self._streams[name] = Stream(len(source), config.auxiliary_batch, own)

    @property
    def _target(self) -> Raw | Vectors:
        return self._built.resting if self.resting else self._built.target

    def check(self, world: World) -> None:
        """See `require_parts`."""
        require_parts(self._streams.values(), self._config.accumulate * world.size, "finetune")

    def groups(self) -> list[dict[str, Any]]:
        """See Task. Encoders by layer; projection, head, adapters and scales at `head_rate`."""
        config, model = self._config, self._built.model
        groups = [group for one in self._encodings() for group in one.groups(config.weight_decay, config.layer_decay)]
        taken = {id(weight) for group in groups for weight in group["params"]}
        rest = nn.ParameterList(one for one in model.parameters() if id(one) not in taken and one.requires_grad)
        return [*groups, *plain_groups(rest, config.weight_decay, config.head_rate)]

    def heavy(self) -> list[nn.Module]:
        """See Task. The encoders' networks: the head is a product of matrices."""
        return [one.net for one in self._encodings()]

    def draw(self, step: int, part: int, world: World) -> dict[str, Batch]:
        """See Task."""
        batches = {}
        for name, stream in self._streams.items():
            rows = world.share(stream.rows(step)[part :: self._config.accumulate])
            if name == TARGET:
                batches[name] = self._target.take(self._train[rows], (self._seed, AUGMENT, step))
            else:
                batches[name] = self._built.silos[name].take(rows, None)
        return batches

    def size(self, drawn: dict[str, Batch]) -> int:
        """See Task. Samples."""
        return sum(len(batch.y) for batch in drawn.values())

    def losses(self, model: nn.Module, drawn: dict[str, Batch], world: World) -> dict[str, Tensor]:
        """See Task."""
        batches = {name: batch.to(world.device) for name, batch in drawn.items()}
        inputs = {name: batch.prepared for name, batch in batches.items()}
        logits = model(inputs, resting=self.resting)
        return {name: self._loss(name, logits[name], batch, world) for name, batch in batches.items()}

    def observe(self, losses: Mapping[str, Tensor], world: World) -> list[dict[str, float]]:
        """See Task. The gradients' cosines on the shared head, `cosine target|<silo>`, without the silos' weights."""
        if len(losses) < 2 or self._alpha == 0:
            return [{}]
        [found] = cosines(losses, self._built.model.head.weight, world)
        return [{f"cosine {pair}": value for pair, value in found.items()}]

    def judge(self, model: nn.Module, world: World) -> list[Judgement]:
        """See Task. Log-loss at the best scale, and accuracy in percent."""
        assert isinstance(model, SharedHead)
        logits, y = logits_of(model, self._target, self._val, world, resting=self.resting)
        loss, factor = map(float, calibrated(logits.float(), y))
        right = float((logits.argmax(1) == y).double().mean())
        return [Judgement(loss, {"accuracy": 100 * right, "factor": factor})]

    def _encodings(self) -> list[Encoding]:
        """All encoders that learn."""
        own = [self._built.model.branch(name).encoder for name in self._built.silos]
        return [self._built.model.encoder, *(one for one in own if one is not None)]

    def _loss(self, name: str, logits: Tensor, batch: Batch, world: World) -> Tensor:
        """The weighted loss of a modality, this part's share of it."""
        own = 1.0 if name == TARGET else self._alpha / max(1, len(self._streams) - 1)
        loss = cross_entropy(logits.float(), batch.y, reduction="sum") / self._streams[name].size
        log_variance = self._built.model.log_variance(name)
        if log_variance is not None:
            share = 1 / (self._config.accumulate * world.size)
            loss = torch.exp(-log_variance) * loss + share * log_variance / 2
        return own * loss
