"""Texts as the target, photos as auxiliary data: the direction that the paper leaves open."""

import re
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from studies import silos, tables
from studies.measure import OURS, Params, probing
from studies.place import Place
from studies.plan import Plan, Results

SHOTS = [1, 4]
TRAIN, VAL = 12, 4  # sentences a class; the rest, some 12, test


@dataclass(frozen=True)
class Setting:
    """What stands beside caltech50's sentences."""

    bridge: bool = False  # sentences and photos of tinyimagenet40's other classes
    permuted: bool = False  # photos under the names of other classes
    named: bool = True  # the sentences name their class


SETTINGS = {
    "photos": Setting(),
    "photos and a bridge": Setting(bridge=True),
    "photos, no names": Setting(named=False),
    "photos and a bridge, no names": Setting(bridge=True, named=False),
    "permuted photos and a bridge, no names": Setting(bridge=True, permuted=True, named=False),
}


def params(setting: Setting, place: Place, seeds: int) -> Params:
    """The study of a setting, its silos made."""
    caltech, tiny = place.set("caltech50"), place.set("tinyimagenet40")
    said, seen = silos.listed(caltech / "text_silo"), silos.listed(caltech / "image_silo")
    told, shown = silos.listed(tiny / "text_silo"), silos.listed(tiny / "image_silo")
    if not setting.named:
        said, told = nameless(said), nameless(told)
    seen = silos.permuted(seen) if setting.permuted else seen
    seen = seen[seen["split"] != "test"]  # photos of the photo study's training: more than enough
    found = {"texts": silos.texts(place, "sentences", _split(said))}
    if setting.bridge:
        few = set(told["label"]) - set(said["label"])
        seen = pd.concat([seen, shown[shown["label"].isin(few) & (shown["split"] != "test")]])
        beside = told[told["label"].isin(few)].drop(columns="split")
        found["bridge"] = silos.texts(place, "bridge_sentences", beside)
    found["photos"] = silos.photos(place, "beside", seen)
    return {"target": "texts", "silos": found, "trunk": {"shots": SHOTS, "seeds": seeds}}


def nameless(texts: pd.DataFrame) -> pd.DataFrame:
    """Sentences with "it" wherever a word begins as one of their class's name does."""
    begins = {name: "|".join(re.escape(word.rstrip("y")) for word in name.split("_")) for name in set(texts["label"])}
    rows = zip(texts["text"], texts["label"], strict=True)
    return texts.assign(text=[re.sub(rf"(?i)\b(?:{begins[name]})\w*", "it", text) for text, name in rows])


def _split(texts: pd.DataFrame) -> pd.DataFrame:
    """Sides of its own: the data set's are for photos' sake, and give all texts to training."""
    order = texts.sample(frac=1, random_state=0)
    rank = order.groupby("label").cumcount()
    sides = np.select([rank < TRAIN, rank < TRAIN + VAL], ["train", "val"], "test")
    return order.assign(split=sides).sort_index()


def blocks(results: Results) -> dict[str, str]:
    """Tables of the page."""
    return {
        **tables.compared(results, OURS),
        "alone": tables.accuracies(results["photos"]),
        "bridged": tables.accuracies(results["photos and a bridge, no names"]),
    }


PLAN = Plan(probing({key: partial(params, one) for key, one in SETTINGS.items()}), blocks)
