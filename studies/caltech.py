"""Few photos of caltech50 beside machine-written sentences, with and without a bridge, and with spoilt sentences."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from studies import silos
from studies.place import Place

LENT, OWN, SHOTS = 15, 35, (1, 2, 4, 8, 16)
About = Literal["its classes", "permuted", "unrelated", "noise"]
"""`permuted`: other classes of the target; `unrelated`: another data set's; `noise`: words drawn one by one."""


@dataclass(frozen=True)
class Setting:
    """One row of a comparison."""

    name: str
    lent: int = 0  # classes of caltech50 that go into the bridge
    tiny: int = 0  # classes of tinyimagenet40 in it
    target: int = 50  # classes of the target; 35: without those that may be lent
    photos: str = "MobileNetV2"
    texts: str = "MiniLM"
    about: About = "its classes"  # what the texts of the target's classes say
    covered: float = 1.0  # share of the target's classes that have texts
    mislabelled: float = 0.0  # share of the texts that stand under another class, drawn at random
    shifted: float = 0.0  # share of the target's classes whose texts are about the class that is most like it
    shots: tuple[int, ...] = SHOTS

    @property
    def bridge(self) -> int:
        """Classes in the bridge."""
        return self.lent + self.tiny


def params(setting: Setting, place: Place, seeds: int) -> dict[str, Any]:
    """The study of a setting, its silos made."""
    caltech, tiny = place.set("caltech50"), place.set("tinyimagenet40")
    photos, texts = silos.listed(caltech / "image_silo"), silos.listed(caltech / "text_silo")
    others, told = silos.listed(tiny / "image_silo"), silos.listed(tiny / "text_silo")
    classes = sorted(photos["label"].unique())
    away = set(np.random.default_rng(0).permutation(classes)[:LENT])
    own = [name for name in classes if setting.target == len(classes) or name not in away]
    few = sorted(set(others["label"]) - set(classes))[: setting.tiny]
    lent = photos[photos["label"].isin(sorted(away)[: setting.lent]) & (photos["split"] != "test")]
    bridge = pd.concat([lent, others[others["label"].isin(few) & (others["split"] != "test")]])
    beside = pd.concat([texts[texts["label"].isin(lent["label"])], told[told["label"].isin(few)]])
    about = _told(_spoilt(texts[texts["label"].isin(own)], setting), told, setting.about)
    said = pd.concat([about, beside]).drop(columns="split")
    found = {"photos": silos.photos(place, "photos", photos[photos["label"].isin(own)], setting.photos)}
    found["texts"] = silos.texts(place, "texts", said, setting.texts)
    if len(bridge):
        found["bridge"] = silos.photos(place, "bridge", bridge, setting.photos)
    return {"target": "photos", "silos": found, "trunk": {"shots": list(setting.shots), "seeds": seeds}}


def _spoilt(texts: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """The target's texts with some classes silent, some labels wrong, some about their neighbour. Each nested: what is
    spoilt at 20 % is spoilt at 30 %.
    """
    draw = np.random.default_rng(2)
    classes = draw.permutation(sorted(texts["label"].unique()))
    heard = set(classes[: round(setting.covered * len(classes))])
    moved = _neighbours(texts)
    shifted = {name: moved[name] for name in classes[: round(setting.shifted * len(classes))]}
    source = {name: shifted.get(name, name) for name in heard}
    own = [texts[texts["label"] == source[name]].assign(label=name) for name in sorted(heard)]
    kept = pd.concat([texts[:0], *own])
    wrong = draw.permutation(len(kept))[: round(setting.mislabelled * len(kept))]
    labels = kept["label"].to_numpy(object)
    labels[wrong] = draw.choice(np.array(classes, object), len(wrong))
    return kept.assign(label=labels)


def _told(texts: pd.DataFrame, others: pd.DataFrame, about: About) -> pd.DataFrame:
    """The same number of classes and texts, or what another data set has of them, saying something else."""
    draw, names = np.random.default_rng(1), sorted(texts["label"].unique())
    if about == "permuted":
        return silos.permuted(texts)
    if about == "unrelated":
        under = dict(zip(sorted(others["label"].unique()), draw.permutation(names), strict=False))
        return others.assign(label=others["label"].map(under)).dropna(subset="label")
    if about == "noise":
        words = np.array(" ".join(texts["text"]).split(), object)
        return texts.assign(text=[" ".join(draw.choice(words, len(one.split()))) for one in texts["text"]])
    return texts


def _neighbours(texts: pd.DataFrame) -> dict[str, str]:
    """Of each class the one whose texts share most words with its own: the likeliest mix-up."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    joined = texts.groupby("label")["text"].agg(" ".join)
    x = TfidfVectorizer(stop_words="english").fit_transform(joined)
    alike = (x @ x.T).toarray()
    np.fill_diagonal(alike, -1)
    return dict(zip(joined.index, joined.index[alike.argmax(1)], strict=True))
