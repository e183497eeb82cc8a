"""Which of the target's classes an auxiliary silo covers."""

from dataclasses import dataclass

import pandas as pd

from uml_pipeline.silo.words import words

_NAMED = 8  # classes that a sentence lists


@dataclass(frozen=True)
class Coverage:
    """Class names, sorted."""

    shared: list[str]
    lacking: list[str]
    """The target has them, the silo has not."""
    beyond: list[str]
    """The silo has them, the target has not."""
    uncovered: float = 0.0
    """Share of the target's labelled samples whose class the silo lacks."""
    unlabelled: float = 0.0
    """Share of the silo's samples that have no label."""

    def reasons(self) -> list[str]:
        """What a person should know about it; nothing where the classes are the same."""
        if not self.shared and not self.beyond:
            return ["it has no labels"]
        alike = _written_otherwise(self.lacking, self.beyond)
        said = [
            f"it lacks {len(self.lacking)} of the target's {len(self.shared + self.lacking)} classes: "
            f"{_listed(self.lacking)} ({self.uncovered:.0%} of its samples)"
        ] * bool(self.lacking)
        more = f"{len(self.beyond)} class{'es' * (len(self.beyond) > 1)}"
        said += [f"it has {more} that the target has not"] * bool(self.beyond)
        said += [f"{one!r} is {other!r} in the target: say so by `synonyms`" for one, other in alike]
        return said + [f"{self.unlabelled:.0%} of its samples have no label"] * bool(self.unlabelled)


def coverage(target: "pd.Series[str]", auxiliary: "pd.Series[str]") -> Coverage:
    """Compare the labels of two silos by name."""
    wanted, there = set(target.dropna()), set(auxiliary.dropna())
    lacking = sorted(wanted - there)
    uncovered = float(target.dropna().isin(lacking).mean()) if wanted else 0.0
    unlabelled = float(auxiliary.isna().mean()) if len(auxiliary) else 0.0
    return Coverage(sorted(wanted & there), lacking, sorted(there - wanted), uncovered, unlabelled)


def _written_otherwise(lacking: list[str], beyond: list[str]) -> list[tuple[str, str]]:
    """Classes that differ in case and punctuation alone: the silo's name, the target's name."""
    ours = {" ".join(words(name)): name for name in lacking}
    pairs = [(name, ours.get(" ".join(words(name)))) for name in beyond]
    return [(one, other) for one, other in pairs if other is not None][:_NAMED]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
