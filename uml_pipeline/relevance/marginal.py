"""What each auxiliary silo gives: to the target alone, and to the target with all the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from uml_pipeline.learn.quick import Hint
from uml_pipeline.relevance.predictive import Prediction, gain_of, predict
from uml_pipeline.relevance.scene import Scene, Side

FEWEST_CLASSES = 5  # with fewer, no permutation of them can tell
_FEWEST_PERMUTATIONS = 199


@dataclass(frozen=True)
class Marginal:
    """One silo's expected gains; absent where there is nothing to compare."""

    alone: Prediction | None
    beside: Prediction | None  # on top of all other silos

    @property
    def predictions(self) -> list[Prediction]:
        """Those that could be made."""
        return [one for one in (self.alone, self.beside) if one is not None]

    @property
    def p_value(self) -> float | None:
        """Of helping in one of the two ways by chance: the smaller one, times the number of ways."""
        found = [one.p_value for one in self.predictions if one.p_value is not None]
        return min(1.0, len(self.predictions) * min(found)) if found else None


class Marginals:
    """All silos of a study."""

    def __init__(self, target: Side, silos: Sequence[Side], shots: int, alpha: float) -> None:
        """`shots`: labelled target samples a class; `alpha`: see RelevanceConfig."""
        self._bridges = {one.name: one for one in silos if one.bridges(target)}
        self._others = {one.name: one for one in silos if one.name not in self._bridges}
        # with Bonferroni over silos and over the two questions, the smallest p must still be able to tell
        self._permutations = max(_FEWEST_PERMUTATIONS, int(np.ceil(2 * len(silos) / alpha)))
        self._scene = lru_cache(
            lambda names: Scene(target, [one for name, one in self._bridges.items() if name in names], shots)
        )

    def of(self, name: str) -> Marginal:
        """One silo's."""
        return Marginal(*(self._bridge if name in self._bridges else self._speaking)(name))

    def _speaking(self, name: str) -> tuple[Prediction | None, Prediction | None]:
        alone = self._alone[name]
        company = [one for other, one in self._hints.items() if other != name and one.trust]
        if not company and not self._bridges:
            return alone, None
        told = alone is not None and alone.p_value == 1 / (1 + self._permutations)  # it cannot get any clearer
        return alone, self._predict(frozenset(self._bridges), name, company, 0 if told else self._permutations)

    @cached_property
    def _alone(self) -> Mapping[str, Prediction | None]:
        """What every silo but the bridges gives to the target alone."""
        return {name: self._predict(frozenset(), name, [], self._permutations) for name in self._others}

    def _predict(self, bridges: frozenset[str], name: str, beside: list[Hint], permutations: int) -> Prediction | None:
        scene = self._scene(bridges)
        hint = scene.hint(self._others[name])
        if len(hint.covered) < FEWEST_CLASSES or not scene.quick.counts.any():
            return None
        return predict(scene.quick, hint, beside, permutations=permutations)

    @cached_property
    def _hints(self) -> Mapping[str, Hint]:
        """Of every silo, beside all bridges, at the strength that is best alone: none where even that loses."""
        found, scene = {}, self._scene(frozenset(self._bridges))
        for name, one in self._alone.items():
            trust = one.trust if one is not None and one.gain.mean > 0 else 0.0
            found[name] = scene.hint(self._others[name]).trusted(trust)
        return found

    def _bridge(self, name: str) -> tuple[Prediction | None, Prediction | None]:
        """Of a bridge the classes are others than the target's: there is nothing to permute."""
        others = frozenset(self._bridges) - {name}
        alone = self._between(frozenset(), frozenset({name}))
        return alone, self._between(others, others | {name}) if others else None

    def _between(self, without: frozenset[str], with_it: frozenset[str]) -> Prediction | None:
        before, after = (self._scene(names).quick for names in (without, with_it))
        if not before.counts.any():
            return None
        gain = gain_of(before, after.right(), before.right())
        return Prediction(gain, gain, 1.0, None, None, None, 0)


def adjusted(marginals: Mapping[str, Marginal]) -> dict[str, float | None]:
    """p-values that hold for all silos together (Holm, 1979)."""
    values = {name: one.p_value for name, one in marginals.items()}
    tested = sorted((p, name) for name, p in values.items() if p is not None)
    found: dict[str, float | None] = dict.fromkeys(values)
    highest = 0.0
    for place, (p, name) in enumerate(tested):
        highest = max(highest, min(1.0, (len(tested) - place) * p))
        found[name] = highest
    return found
