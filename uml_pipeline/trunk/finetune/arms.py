"""The arms of the comparison: what each reads, from where its head starts, and its settings: as many for every arm."""

from collections.abc import Sequence
from dataclasses import dataclass

from uml_pipeline.trunk import cells
from uml_pipeline.trunk.finetune.config import FinetuneConfig


@dataclass(frozen=True)
class Arm(cells.Arm):
    """One way to fine-tune. Its silos decide about the projection and may start the head."""

    projected: bool = True  # whether the target goes through a projection into the silos' space, if that is another
    learns: bool = False  # whether it takes the silos' loss
    init: bool = False  # whether the head starts at the silos' class means


def arms(config: FinetuneConfig, used: Sequence[str], forced: Sequence[str]) -> list[Arm]:
    """The arms of a study; those that need an auxiliary silo are there if one is in use. Each forced silo has one."""
    silos = tuple(used)
    chosen = [_arm(name, config, silos) for name in config.arms if silos or name == "unimodal"]
    lineup = chosen or [_arm("unimodal", config, silos)]
    return [*lineup, *(_control(config, name) for name in forced)]


def _arm(name: str, config: FinetuneConfig, silos: tuple[str, ...]) -> Arm:
    alone, joint = _alone(config), _joint(config)
    if name == "unimodal":
        about = "The target alone, through the same projection and head as UML: its fair control."
        return Arm(name, "fine-tuned alone", "image-only", about, alone, silos)
    if name == "unimodal_paper":
        about = "The paper's baseline: the target alone, the head on the encoder itself."
        return Arm(name, "fine-tuned alone, no projection", "image-only", about, alone, silos, projected=False)
    if name == "unimodal_init":
        about = "The target alone, its head started at the auxiliary class means: the start without the training."
        return Arm(name, "fine-tuned from the silos' means", "control", about, alone, silos, init=True)
    if name == "uml":
        about = "The paper's form: random start, joint loss."
        return Arm(name, "UML", "uml", about, joint, silos, learns=True)
    about = "The paper's UML(init): head started at the auxiliary class means, joint loss."
    return Arm("uml_init", "UML (init)", "uml", about, joint, silos, learns=True, init=True)


def _control(config: FinetuneConfig, silo: str) -> Arm:
    about = "UML's joint loss with this silo, whatever its verdict: shown, never shipped."
    return Arm(f"uml_{silo}", f"UML, {silo} forced in", "control", about, _joint(config), (silo,), learns=True)


def _joint(config: FinetuneConfig) -> tuple[cells.Setting, ...]:
    return cells.joint(config.learning_rate, config.alphas)


def _alone(config: FinetuneConfig) -> tuple[cells.Setting, ...]:
    return cells.alone(config.learning_rate, config.alphas)
