"""From the lists that a data set was published with to the two tables that these studies read.

    python studies/paper/tables.py STUDY SPLIT.json SENTENCES.json

SPLIT.json is CoOp's: {"train": [[file, number, class], ...], "val": ..., "test": ...}; SENTENCES.json has {class:
[sentence, ...]}. Writes STUDY/pictures/manifest.csv and STUDY/texts.csv.
"""

import csv
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path


def write(study: Path, split: Path, sentences: Path) -> list[str]:
    """Write both tables; returns the classes that no sentence is about."""
    sides, texts = json.loads(split.read_text("utf-8")), json.loads(sentences.read_text("utf-8"))
    pictures = [(file, label, side) for side in ("train", "val", "test") for file, _, label in sides[side]]
    # the two lists write classes differently: "2012 Audi R8" and "audi_r8_2012" have the same words
    known = {_words(label): label for _, label, _ in pictures}
    named = {name: known.get(_words(name), name) for name in texts}
    _table(study / "pictures" / "manifest.csv", ("path", "label", "split"), pictures)
    _table(study / "texts.csv", ("text", "label"), [(one, named[name]) for name in texts for one in texts[name]])
    return sorted({*known.values()} - {named[name] for name in texts if texts[name]})


def _words(name: str) -> str:
    return " ".join(sorted(re.findall(r"[a-z0-9]+", name.lower())))


def _table(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    if silent := write(*map(Path, sys.argv[1:4])):
        print(f"{len(silent)} classes without a sentence: {', '.join(silent)}")
