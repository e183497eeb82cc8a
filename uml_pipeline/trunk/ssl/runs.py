"""One training: an arm with one setting on some target rows. What was finished once is never trained again."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from uml_pipeline.learn.engine import checkpoint
from uml_pipeline.learn.engine.loop import Fit, fit
from uml_pipeline.learn.engine.world import World
from uml_pipeline.learn.sequence.curriculum import Curriculum
from uml_pipeline.learn.sequence.network import SharedNetwork, modality, transformer
from uml_pipeline.learn.sequence.reader import Reader
from uml_pipeline.learn.sequence.task import Prediction, Source
from uml_pipeline.learn.splits import Rows
from uml_pipeline.trunk.cells import Setting
from uml_pipeline.trunk.ssl.arms import Arm
from uml_pipeline.trunk.ssl.config import SslConfig
from uml_pipeline.trunk.ssl.inputs import Inputs
from uml_pipeline.trunk.ssl.spoil import spoil

TARGET = "target"  # of the network's modalities; silos are there as `silo <name>`
CHECKPOINT, DONE = "checkpoint.safetensors", "done.safetensors"
_FINEST = 64  # one auxiliary batch in so many steps


@dataclass(frozen=True)
class Run:
    """What is trained on what. `folder` is its own: a checkpoint while it runs, the outcome when it is done."""

    inputs: Inputs
    arm: Arm
    setting: Setting
    train: Rows  # of the target, with or without label
    val: Rows
    seed: int
    folder: Path

    @property
    def config(self) -> SslConfig:
        """The study's, with the setting's learning rate."""
        whole = self.inputs.study.params.trunk.ssl
        return whole.model_copy(update={"learning_rate": self.setting.learning_rate})

    def fit(self, world: World, advance: Callable[[int], None]) -> Fit:
        """Train it, or go on where it was killed, or read what it came to; `advance` is told the steps.

        Raises:
            UserError: a batch is too small for the parts it is computed in.
        """
        config, done, at = self.config, self.folder / DONE, self.folder / CHECKPOINT
        if done.is_file():
            advance(config.steps)
            return Fit(**checkpoint.load(done))
        found = fit(self._task(world), config, self.seed, world=world, checkpoint=at, advance=advance)
        checkpoint.save(done, vars(found))
        at.unlink(missing_ok=True)
        advance(config.steps - int(found.history[-1]["step"]))
        return found

    def reader(self, found: Fit | None) -> Reader:
        """The target's stripped network, trained or at its start; without a network where the arm has none."""
        network = self._network({})
        reader = network.reader(TARGET)
        if found is not None:
            own = {name: found.weights[name] for name in network.state_dict()}
            network.load_state_dict(own)
        return reader if self.arm.network else Reader(reader.entrance, None)

    def _task(self, world: World) -> Prediction:
        config, sources = self.config, self._sources()
        early = {TARGET} if config.first == "target" else sources.keys() - {TARGET}
        alone = self.arm.silos == ()
        task = Prediction(
            self._network(sources),
            sources,
            [self.inputs.x[row] for row in self.val],
            config,
            self.seed,
            curriculum=Curriculum() if alone else Curriculum(frozenset(early), config.first_steps),
            keep=config.keep,
        )
        task.check(world)
        return task

    def _network(self, sources: dict[str, Source]) -> SharedNetwork:
        config = self.config
        sequences = {TARGET: [self.inputs.x[row] for row in self.train]}
        sequences |= {name: list(one.sequences) for name, one in sources.items()}
        modalities = {
            name: modality(name, some, config.network, self.seed, config.objective) for name, some in sequences.items()
        }
        return SharedNetwork(modalities, transformer(config.network, self.seed))

    def _sources(self) -> dict[str, Source]:
        """The target's, then each silo's."""
        config = self.config
        sources = {TARGET: Source([self.inputs.x[row] for row in self.train], config.batch)}
        for place, name in enumerate(self.arm.silos):
            sequences = spoil(self.inputs.silos[name], self.arm.spoilt, (self.seed, place))
            weight = self.setting.alpha * config.weights.get(name, 1.0)
            ratio = Fraction(config.ratios.get(name, 1.0)).limit_denominator(_FINEST)
            sources[f"silo {name}"] = Source(sequences, config.auxiliary_batch, weight, ratio)
        return sources
