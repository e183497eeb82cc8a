"""Would a silo without labels help? A small network learns to predict the target's next steps with it and without it,
and with its steps in random order, which have all of its content and none of its meaning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from torch import Tensor

from uml_pipeline.learn.engine.config import EngineConfig
from uml_pipeline.learn.engine.loop import fit_all
from uml_pipeline.learn.sequence.config import NetworkConfig
from uml_pipeline.learn.sequence.network import SharedNetwork, modality, transformer
from uml_pipeline.learn.sequence.spoil import Spoilt, spoil
from uml_pipeline.learn.sequence.stacked import stack
from uml_pipeline.learn.sequence.task import Lesson, Prediction, Source
from uml_pipeline.learn.statistics import LEVEL, Gain

NETWORK = NetworkConfig(width=32, layers=1, heads=4, hidden=64, dropout=0.0, longest=30)
WORTH = 1.0
"""Per cent of the loss that are worth having."""
_ENGINE = EngineConfig(steps=200, warm_up=20, learning_rate=3e-3, look_every=200)
_SEEDS, _BATCH = 8, 16


@dataclass(frozen=True)
class Foresight:
    """How much lower the loss on held-out target sequences is, in % of that without the silo."""

    gain: Gain
    over_shuffled: Gain  # over the same silo, its steps in random order
    p_value: float  # of both being zero by chance: the larger of two paired t-tests over seeds

    @property
    def word(self) -> str:
        """The verdict on such a silo."""
        if self.gain.low > 0 and self.over_shuffled.low > 0:
            return "helps"
        if self.gain.high < 0:
            return "harms"
        return "neutral" if self.gain.high < WORTH else "cannot tell"

    def reasons(self) -> list[str]:
        """What a person should know."""
        parts = (self.gain, "than without it"), (self.over_shuffled, "than with its steps in random order")
        said = [f"{one.mean:.1f} % ({one.low:.1f} to {one.high:.1f}) lower {than}" for one, than in parts]
        return [f"a small self-supervised network's loss on held-out target samples is {' and '.join(said)}"]


def foresee(train: Sequence[Tensor], val: Sequence[Tensor], silo: Sequence[Tensor]) -> Foresight:
    """Train with the silo, with its shuffled self, and without it: sequences [step, d], or tokens [step].

    The next step of a target sequence is predicted (UML, sec. 2), from eight random starts; the runs learn at once.
    """
    seeds = range(_SEEDS)
    both = _losses([(_sources(train, silo, how, seed), seed) for how in ("none", "shuffled") for seed in seeds], val)
    alone = _losses([({"target": Source(train, _BATCH)}, seed) for seed in seeds], val)
    real, shuffled = both[:_SEEDS], both[_SEEDS:]
    gains = [100 * (other - real) / alone for other in (alone, shuffled)]
    gain, over_shuffled = map(_interval, gains)
    p_value = max(float(stats.ttest_1samp(one, 0, alternative="greater").pvalue) for one in gains)
    return Foresight(gain, over_shuffled, 1.0 if np.isnan(p_value) else p_value)


def _sources(train: Sequence[Tensor], silo: Sequence[Tensor], how: Spoilt, seed: int) -> dict[str, Source]:
    return {"target": Source(train, _BATCH), "silo": Source(spoil(silo, how, (seed,)), _BATCH)}


def _losses(lessons: Sequence[tuple[Mapping[str, Source], int]], val: Sequence[Tensor]) -> np.ndarray:
    """Of each run, after its last step: [run]."""
    taught = [Lesson(sources, val, seed) for sources, seed in lessons]
    network = stack([_network(sources, seed) for sources, seed in lessons])
    task = Prediction(network, taught, _ENGINE)
    return np.array([found.history[-1]["loss"] for found in fit_all(task, _ENGINE, 0)])


def _network(sources: Mapping[str, Source], seed: int) -> SharedNetwork:
    parts = {name: modality(name, one.sequences, NETWORK, seed) for name, one in sources.items()}
    return SharedNetwork(parts, transformer(NETWORK, seed))


def _interval(values: np.ndarray) -> Gain:
    mean, error = float(values.mean()), float(stats.sem(values))
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)) * error
    return Gain(mean, mean - half, mean + half)
