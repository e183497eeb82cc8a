"""What makes a test easier than life: the same sample on two sides of the split, texts that give the answer away."""

import re

import pandas as pd

from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.silo.manifest import GATE
from uml_pipeline.silo.splits import SPLITS
from uml_pipeline.silo.words import words

_SIDES = [*SPLITS, GATE]
_FILE = re.compile(r"\b[\w-]+\.(?:jpe?g|png|gif|webp|bmp|tiff?|wav|flac|mp3|ogg|opus|aiff?)\b", re.I)


def set_copies_aside(table: pd.DataFrame) -> None:
    """Of a good sample that stands on several sides of the split, keep the copy that judges: in the gate, or else in
    test, or else in val. The others become bad.
    """
    good = table[table["bad"].isna()]
    rank = good["split"].map(_SIDES.index)
    last = rank.groupby(good["sample_id"]).transform("max")
    for split in _SIDES[1:]:
        copies = good.index[(rank < last) & (last == _SIDES.index(split))]
        table.loc[copies, "bad"] = f"a copy of a sample of the {split} split"
        table.loc[copies, "split"] = None


def find_names(table: pd.DataFrame, config: SiloConfig) -> None:
    """Write into `names` whether a text names its label or a media file word for word; with `names_label: exclude`,
    such a text becomes bad.
    """
    labels = {label: " ".join(words(label)) for label in table["label"].dropna().unique()}
    found = [_named(text, labels.get(label)) for text, label in zip(table["text"], table["label"], strict=True)]
    table["names"] = pd.Series(found, index=table.index, dtype=table["names"].dtype)
    if config.names_label == "exclude":
        named = table["bad"].isna() & table["names"].notna()
        table.loc[named, "bad"] = "the text names its " + table.loc[named, "names"]


def _named(text: str, label: str | None) -> str | None:
    if label and f" {label} " in f" {' '.join(words(text))} ":
        return "label"
    return "file" if _FILE.search(text) else None
