"""Spoilt texts."""

import string
from collections.abc import Sequence
from typing import cast

import numpy as np

from uml_pipeline.report.robustness.damage import Damage
from uml_pipeline.samples import Sample


def damages(samples: Sequence[Sample]) -> list[Damage]:
    """Three kinds."""
    return [
        Damage("typos", "share of the letters", (0.05, 0.1, 0.2), typos),
        Damage("capitals", "share of the words", (0.3, 0.6, 1.0), capitals),
        Damage("words lost", "share of the words", (0.1, 0.25, 0.5), lost),
    ]


def typos(sample: Sample, strength: float, draw: np.random.Generator) -> str:
    """Letters that change places with the next, are missing, or are another."""
    letters = list(cast(str, sample))
    marks, kinds = draw.random(len(letters)), draw.integers(3, size=len(letters))
    others = draw.choice(list(string.ascii_lowercase), len(letters))
    for at in np.flatnonzero(marks < strength):
        if not letters[at].isalpha():
            continue
        if kinds[at] == 0 and at + 1 < len(letters):
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
        else:
            letters[at] = "" if kinds[at] == 1 else str(others[at])
    return "".join(letters) if "".join(letters).strip() else cast(str, sample)


def capitals(sample: Sample, strength: float, draw: np.random.Generator) -> str:
    """Words in capitals."""
    words = cast(str, sample).split(" ")
    shouted = draw.random(len(words)) < strength
    return " ".join(word.upper() if loud else word for word, loud in zip(words, shouted, strict=True))


def lost(sample: Sample, strength: float, draw: np.random.Generator) -> str:
    """Words that are missing; one stays."""
    words = cast(str, sample).split()
    marks = draw.random(len(words))
    kept = [word for word, mark in zip(words, marks, strict=True) if mark >= strength]
    return " ".join(kept or [words[int(marks.argmax())]])
