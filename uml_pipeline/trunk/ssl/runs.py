"""One training: an arm with one setting on some target rows. What was finished once is never trained again."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from uml_pipeline.learn.engine import checkpoint
from uml_pipeline.learn.engine.loop import Fit
from uml_pipeline.learn.sequence.curriculum import Curriculum
from uml_pipeline.learn.sequence.network import Modality, SharedNetwork, modality, transformer
from uml_pipeline.learn.sequence.reader import Reader
from uml_pipeline.learn.sequence.spoil import spoil
from uml_pipeline.learn.sequence.task import Lesson, Source
from uml_pipeline.learn.splits import Rows
from uml_pipeline.trunk.cells import Setting
from uml_pipeline.trunk.ssl.arms import Arm
from uml_pipeline.trunk.ssl.config import SslConfig
from uml_pipeline.trunk.ssl.inputs import Inputs

TARGET = "target"  # of the network's modalities
DONE = "done.safetensors"
_FINEST = 64  # one auxiliary batch in so many steps


@dataclass(frozen=True)
class Run:
    """What is trained on what. `folder` is its own: there stands what came out when it is done."""

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

    @property
    def done(self) -> bool:
        """Whether it was trained to its end."""
        return (self.folder / DONE).is_file()

    def found(self) -> Fit:
        """What the training came to that is done."""
        return Fit(**checkpoint.load(self.folder / DONE))

    def keep(self, found: Fit) -> None:
        """Done."""
        checkpoint.save(self.folder / DONE, vars(found))

    def reader(self, found: Fit | None) -> Reader:
        """The target's stripped network, trained or at its start; without a network where the arm has none."""
        alone = replace(self, arm=replace(self.arm, silos=()))
        network = alone.network()
        reader = network.reader(TARGET)
        if found is not None:
            own = {name: found.weights[name] for name in network.state_dict()}
            network.load_state_dict(own)
        return reader if self.arm.network else Reader(reader.entrance, None)

    def lesson(self) -> Lesson:
        """What it learns from."""
        return Lesson(self._sources(), [self.inputs.x[row] for row in self.val], self.seed)

    def network(self) -> SharedNetwork:
        """Before training."""
        return SharedNetwork(self.modalities(), transformer(self.config.network, self.seed))

    def modalities(self) -> dict[str, Modality]:
        """The target's, then each silo's, as it was before it was spoilt: controls have its shape."""
        config = self.config
        sequences = {TARGET: [self.inputs.x[row] for row in self.train]}
        sequences |= {silo(name): list(self.inputs.silos[name]) for name in self.arm.silos}
        return {
            name: modality(name, some, config.network, self.seed, config.objective) for name, some in sequences.items()
        }

    def curriculum(self) -> Curriculum:
        """Who learns when."""
        if not self.arm.silos:
            return Curriculum()
        early = {TARGET} if self.config.first == "target" else {silo(name) for name in self.arm.silos}
        return Curriculum(frozenset(early), self.config.first_steps)

    def _sources(self) -> dict[str, Source]:
        """The target's, then each silo's."""
        config = self.config
        sources = {TARGET: Source([self.inputs.x[row] for row in self.train], config.batch)}
        for place, name in enumerate(self.arm.silos):
            sequences = spoil(self.inputs.silos[name], self.arm.spoilt, (self.seed, place))
            weight = self.setting.alpha * config.weights.get(name, 1.0)
            ratio = Fraction(config.ratios.get(name, 1.0)).limit_denominator(_FINEST)
            sources[silo(name)] = Source(sequences, config.auxiliary_batch, weight, ratio)
        return sources


def silo(name: str) -> str:
    """What a silo is called among the network's modalities."""
    return f"silo {name}"
