"""Sentences that teach little or the wrong thing: copies, boiler-plate, the name alone, another class's name."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from uml_pipeline.relevance.phrases import ARTICLES, NAME, Names, Words
from uml_pipeline.silo.words import words

_CLASSES = 3  # under so many names a sentence is boiler-plate
_LONG = 5  # words from which on two sentences that differ in one word are nearly copies
_TOLD, _NAMED = 0.1, 3  # share of the texts from which on a person is told; classes that a sentence names
_EXCHANGED, _FEW = 0.5, 3  # share and number of a class's texts that name one other class, and not their own
REASONS = {
    "other name": "name another class and not their own",
    "elsewhere": "stand word for word under another class, too",
    "copy": "repeat another text of their class, but for one word at most",
    "name only": "say nothing but their class's name",
    "boiler-plate": f"stand under {_CLASSES} classes or more, but for their names",
}


@dataclass(frozen=True, eq=False)
class TextQuality:
    """What is suspicious about a silo's texts."""

    texts: int
    suspicious: pd.DataFrame
    """One row a finding: index of the text's row, `reason` (a key of REASONS), `looks` (the other class, where there is
    one) and `score` (how many texts or classes are concerned)."""
    renamed: list[tuple[str, str]]
    """Classes most of whose texts name one other class instead."""

    @property
    def shares(self) -> dict[str, float]:
        """For each reason, the share of texts that it holds for."""
        counted = self.suspicious["reason"].value_counts()
        return {reason: float(counted.get(reason, 0)) / self.texts for reason in REASONS}

    @property
    def alarming(self) -> bool:
        """Whether a whole class seems to have another one's texts; poor texts alone are not."""
        return bool(self.renamed)

    def reasons(self) -> list[str]:
        """What a person should know about it; nothing where it is little."""
        pairs = [(one, other) for one, other in self.renamed if one < other and (other, one) in self.renamed][:_NAMED]
        told = {name for pair in pairs for name in pair}
        rest = [(one, other) for one, other in self.renamed if one not in told]
        said = [f"{one!r} and {other!r} seem to be exchanged: the texts of each name the other" for one, other in pairs]
        if rest:
            some = ", ".join(f"{one} ({other})" for one, other in rest[:_NAMED]) + ", …" * (len(rest) > _NAMED)
            said.append(f"most texts of {len(rest)} class{'es' * (len(rest) > 1)} name another one instead: {some}")
        return said + [
            f"{share:.0%} of its texts {REASONS[reason]}" for reason, share in self.shares.items() if share > _TOLD
        ]

    def evidence(self) -> dict[str, Any]:
        """What a verdict keeps."""
        return {"texts": self.shares, "renamed": [list(pair) for pair in self.renamed]}


def text_quality(texts: "pd.Series[str]", labels: "pd.Series[str]") -> TextQuality | None:
    """Look at the words of a silo's texts; None where no text has a label. Both [n], with one index."""
    known = labels.notna()
    if not known.any():
        return None
    said = [tuple(words(text)) for text in texts[known]]
    label = labels[known].tolist()
    names = Names(set(label))
    bare = [names.without(text, own) for text, own in zip(said, label, strict=True)]
    others = [_other(names, text, own) for text, own in zip(said, label, strict=True)]
    found = [
        *((place, "other name", other, 1.0) for place, other in enumerate(others) if other),
        *_elsewhere(said, label),
        *_copies(said, label),
        *((place, "name only", None, 1.0) for place, text in enumerate(bare) if _is_name(text, label[place])),
        *_boiler_plate(bare, label),
    ]
    table = pd.DataFrame(found, columns=["place", "reason", "looks", "score"])
    index = texts[known].index.to_numpy()[table.pop("place").to_numpy(int)]
    return TextQuality(len(said), table.set_axis(index), _renamed(others, label))


_Found = Iterator[tuple[int, str, str | None, float]]


def _other(names: Names, text: Words, own: str) -> str | None:
    """A class that is named where the own is not. A name within the own (chair in windsor_chair) does not count."""
    named = names.found(text)
    if own in named:
        return None
    within = set(words(own))
    strange = [one for one in named if not within & set(words(one))]
    return max(strange, key=lambda one: (len(words(one)), one), default=None)


def _is_name(text: Words, label: str) -> bool:
    return not set(text) - {NAME, *words(label)}


def _elsewhere(said: list[Words], label: list[str]) -> _Found:
    for places in _grouped(said):
        classes = {label[place] for place in places}
        for place in places if len(classes) > 1 else []:
            yield place, "elsewhere", min(classes - {label[place]}), float(len(classes))


def _boiler_plate(bare: list[Words], label: list[str]) -> _Found:
    for places in _grouped(bare):
        classes = len({label[place] for place in places})
        if classes >= _CLASSES:
            yield from ((place, "boiler-plate", None, float(classes)) for place in places)


def _copies(said: list[Words], label: list[str]) -> _Found:
    """Texts that an earlier text of their class says already. Two that differ in one word are equal without it."""
    firsts: dict[str, dict[Words, int]] = defaultdict(dict)
    for place, (text, own) in enumerate(zip(said, label, strict=True)):
        seen = firsts[own]
        short = tuple(word for word in text if word not in ARTICLES)
        keys = [short, *(short[:at] + short[at + 1 :] for at in range(len(short)))] if len(short) >= _LONG else [short]
        likes = {seen[key] for key in keys if key in seen}
        if likes:
            yield place, "copy", None, float(len(likes))
        for key in keys:
            seen.setdefault(key, place)


def _grouped(texts: list[Words]) -> Iterable[list[int]]:
    """Places of equal texts."""
    groups: dict[Words, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        groups[text].append(place)
    return groups.values()


def _renamed(others: list[str | None], label: list[str]) -> list[tuple[str, str]]:
    counts = pd.crosstab(pd.Series(label), pd.Series(others, dtype=object).fillna(""))
    named = counts.drop(columns="", errors="ignore")
    if named.empty:
        return []
    most = named.max(axis=1)
    renamed = (most > _EXCHANGED * counts.sum(axis=1)) & (most >= _FEW)
    return [(str(one), str(named.loc[one].idxmax())) for one in named.index[renamed]]
