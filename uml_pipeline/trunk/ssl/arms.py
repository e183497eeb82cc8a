"""The arms of the comparison, among them what needs no learning and what has the auxiliary silos' form alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from uml_pipeline.learn.sequence.spoil import Spoilt
from uml_pipeline.trunk import cells
from uml_pipeline.trunk.cells import Setting, alone, joint
from uml_pipeline.trunk.ssl.config import SslConfig


@dataclass(frozen=True)
class Arm(cells.Arm):
    """One way to a representation."""

    trained: bool = True
    network: bool = True  # absent: the mean of the steps
    spoilt: Spoilt = "none"  # what was done to its silos' sequences


def arms(config: SslConfig, used: Sequence[str], forced: Sequence[str]) -> list[Arm]:
    """The arms of a study; those that need an auxiliary silo are there if one is in use. Each forced silo has one."""
    rate, weighed, silos = config.learning_rate, joint(config.learning_rate, config.alphas), tuple(used)
    at_rest = (Setting(rate),)
    lineup = [
        Arm(
            "steps_mean",
            "mean of the steps",
            "image-only",
            "No network: each sequence is the mean of its steps.",
            at_rest,
            trained=False,
            network=False,
        ),
        Arm(
            "untrained",
            "untrained Transformer",
            "image-only",
            "The network at its random start.",
            at_rest,
            trained=False,
        ),
        Arm(
            "unimodal",
            "self-supervised alone",
            "image-only",
            "The same network and training, the target's sequences alone.",
            alone(rate, config.alphas),
        ),
    ]
    if silos:
        lineup += [
            Arm("uml", "UML", "uml", "The paper's form: all silos through one Transformer.", weighed, silos),
            Arm(
                "uml_shuffled",
                "UML, auxiliary steps shuffled",
                "control",
                "UML with the steps of every auxiliary sequence in random order: the same steps, nothing to predict.",
                weighed,
                silos,
                spoilt="shuffled",
            ),
            Arm(
                "uml_noise",
                "UML, auxiliary noise",
                "control",
                "UML with noise of the auxiliary sequences' lengths and spread: regularisation, no data.",
                weighed,
                silos,
                spoilt="noise",
            ),
        ]
    about = "UML with this silo, whatever its verdict: shown, never shipped."
    return lineup + [Arm(f"uml_{one}", f"UML, {one} forced in", "control", about, weighed, (one,)) for one in forced]
