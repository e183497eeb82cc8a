"""Samples that give single samples of the target away: its file names or ids as texts, or its very samples."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

_TOKEN = re.compile(r"[^\s,;:\"'()\[\]<>|]+")
_FEW, _SHARE = 3, 0.01  # names: fewer, or a smaller share of the texts, may be chance
_MOSTLY = 0.5
_SHORTEST = 5  # letters of a file's name without its ending that is no ordinary word or number


@dataclass(frozen=True, eq=False)
class Copied:
    """What a silo has of the target's single samples."""

    rows: int
    names: "pd.Series[str]"
    """The target's file or sample that a text names: index of the text's row."""
    samples: int
    """Samples of the silo that are samples of the target, byte for byte."""
    tested: int
    """How many of these are in the target's test split."""

    @property
    def mostly_names(self) -> bool:
        """Whether the silo is little else: then no geometry and no label of it means anything."""
        return len(self.names) > _MOSTLY * self.rows

    @property
    def alarming(self) -> bool:
        """Whether texts name the target's samples oftener than by chance, or test samples are among the silo's."""
        return (len(self.names) >= _FEW and len(self.names) > _SHARE * self.rows) or self.tested > 0

    def reasons(self) -> list[str]:
        """What a person should know about it; nothing where nothing is copied."""
        said = []
        if self.alarming and len(self.names):
            share = round(100 * len(self.names) / self.rows)
            said.append(
                f"{share}% of its texts name single samples of the target ({self.names.iloc[0]}, …): they tell which "
                "sample has which label, not what a class is"
            )
        if self.samples:
            said.append(f"{self.samples} of its samples are the target's own, {self.tested} of them test samples")
        return said

    def evidence(self) -> dict[str, Any]:
        """What a verdict keeps."""
        numbers = {"names": len(self.names), "samples": self.samples, "test_samples": self.tested}
        return {"copied": numbers | {"alarming": self.alarming}}


def copied(target: pd.DataFrame, silo: pd.DataFrame) -> Copied:
    """Compare two manifests, all splits of the target's among them: names and ids alone are read, no features."""
    own = silo["sample_id"].isin(target["sample_id"])
    tested = silo["sample_id"].isin(target.loc[target["split"] == "test", "sample_id"])
    texts = silo["text"] if "text" in silo else pd.Series(dtype="str")
    known = _names(target)
    found = {row: name for row, text in texts.items() if (name := _named(text, known))}
    names = pd.Series(found, dtype="str")
    return Copied(len(silo), names, int(own.sum()), int(tested.sum()))


def _names(target: pd.DataFrame) -> set[str]:
    """What the target's samples are called: files, with and without their ending, and ids."""
    names = set(target["sample_id"])
    for path in target["path"].dropna() if "path" in target else []:
        file = PurePosixPath(str(path).partition("#")[0].casefold())
        names.add(file.name)
        if len(file.stem) >= _SHORTEST and any(letter.isdigit() for letter in file.stem):
            names.add(file.stem)
    return names


def _named(text: str, known: set[str]) -> str | None:
    """Such a name, if the text or one of its words is one, folders left out."""
    whole = text.strip().casefold()
    words = (PurePosixPath(word.replace("\\", "/")).name for word in (whole, *_TOKEN.findall(whole)))
    return next((word for word in words if {word, word.rstrip(".!?")} & known), None)
