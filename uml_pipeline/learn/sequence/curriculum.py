"""Who learns when: which batches of each modality a step takes."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Curriculum:
    """For exactly `steps` steps the modalities `first` learn alone, then all of them; 0: all from the start.

    The paper's text lets the target go first, its code the auxiliary modality (UML, sec. 2.3), and that for one epoch
    more than it was told.
    """

    first: frozenset[str] = frozenset()
    steps: int = 0

    def batches(self, name: str, step: int, ratio: Fraction) -> range:
        """Numbers of a modality's own batches that a step takes, none left out: `ratio` of them a step on average, as
        evenly as can be; one a step for those who learn alone, so that no step is empty.
        """
        if not self.joint(step):
            return range(step, step + 1) if name in self.first else range(0)
        before, own = self.steps if name in self.first else 0, step - self.steps
        return range(before + _floor(own * ratio), before + _floor((own + 1) * ratio))

    def joint(self, step: int) -> bool:
        """Whether everybody learns at this step."""
        return step >= self.steps


def _floor(number: Fraction) -> int:
    return number.numerator // number.denominator
