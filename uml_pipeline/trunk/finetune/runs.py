"""One training: an arm with one setting on some rows. What was finished once is never trained again."""

from dataclasses import dataclass
from pathlib import Path

from uml_pipeline.learn.engine import checkpoint
from uml_pipeline.learn.engine.loop import Fit, fit
from uml_pipeline.learn.engine.world import World
from uml_pipeline.progress import Advance
from uml_pipeline.trunk.cells import Setting
from uml_pipeline.trunk.finetune.arms import Arm
from uml_pipeline.trunk.finetune.build import Built, build
from uml_pipeline.trunk.finetune.config import FinetuneConfig
from uml_pipeline.trunk.finetune.inputs import Inputs
from uml_pipeline.trunk.finetune.samples import Rows
from uml_pipeline.trunk.finetune.task import Finetuning

CHECKPOINT, DONE = "checkpoint.safetensors", "done.safetensors"


@dataclass(frozen=True)
class Run:
    """What is trained on what. `folder` is its own: a checkpoint while it runs, the outcome when it is done."""

    inputs: Inputs
    arm: Arm
    setting: Setting
    train: Rows
    val: Rows
    seed: int
    folder: Path

    @property
    def config(self) -> FinetuneConfig:
        """The study's, with the setting's learning rate."""
        whole = self.inputs.study.params.trunk.finetune
        return whole.model_copy(update={"learning_rate": self.setting.learning_rate})

    @property
    def done(self) -> bool:
        """Whether it was trained to its end."""
        return (self.folder / DONE).is_file()

    def build(self) -> Built:
        """Its network before training."""
        return build(self.inputs, self.arm, self.config, self.seed, self.train)

    def train_on(self, world: World, advance: Advance) -> Fit:
        """Train it, or go on where it was killed, or read what it came to; `advance` is told the steps.

        Raises:
            UserError: the encoder cannot be trained as configured, or a sample cannot be read.
        """
        config = self.config
        if not self.done:
            task = Finetuning(self.build(), self.train, self.val, self.setting.alpha, config, self.seed)
            task.check(world)
            at = self.folder / CHECKPOINT
            if config.probe_steps and not at.is_file():
                _probe(task, config, self.seed, world)
            found = fit(task, config, self.seed, world=world, checkpoint=at, advance=advance)
            if world.first:
                checkpoint.save(self.folder / DONE, vars(found))
                at.unlink(missing_ok=True)
            advance(config.steps - int(found.history[-1]["step"]))
            world.wait()
            return found
        advance(config.steps)
        return Fit(**checkpoint.load(self.folder / DONE))


def _probe(task: Finetuning, config: FinetuneConfig, seed: int, world: World) -> None:
    """Let projection and head learn on the frozen features first. It takes seconds: no checkpoint is kept."""
    update = {"steps": config.probe_steps, "learning_rate": config.probe_rate / config.head_rate}
    task.resting = True
    task.model.load_state_dict(fit(task, config.model_copy(update=update), seed, world=world).weights)
    task.resting = False
