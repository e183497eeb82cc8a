"""How often a silo's faults are found and named, and how often a sound silo is accused.

    UML_DATA_DIR=... python -m benchmarks.soundness [--draws 40] [FOLDER]     # FOLDER keeps the features between runs

Each draw takes half of a real silo's samples and spoils them in one way; the target is the same set's photos (texts,
where photos are judged). Last figures: docs/relevance.md.
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from studies.silos import PHOTO_ENCODERS
from uml_pipeline.features.encoders import create_encoder
from uml_pipeline.relevance.exchanges import Exchanges
from uml_pipeline.relevance.geometry import agreement
from uml_pipeline.relevance.labels import LabelNoise
from uml_pipeline.relevance.soundness import Soundness, examine
from uml_pipeline.relevance.texts import TextQuality
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.silo.manifest import sample_id

SETS = ["caltech50", "tinyimagenet40", "animals_trimodal", "both"]  # both: the classes of the first two
FAULTS = ["none", "10% wrong", "30% wrong", "two exchanged", "file names"]
Silo = tuple[pd.DataFrame, np.ndarray]


@dataclass(frozen=True)
class Draw:
    """What was found in one draw."""

    found: Soundness
    wrong: float
    """Share of labels that are wrong."""
    pair: set[str]
    """The classes that were exchanged."""

    def of(self, kind: type) -> Any:
        """The finding of one kind."""
        return next((one for one in self.found.findings if isinstance(one, kind)), None)


def main() -> None:
    """Print one row for each set, silo and fault."""
    options = _options()
    folder, data = Path(options.folder), Path(os.environ["UML_DATA_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    labels, pairs = ["labels", "estimate, %", "covered"], ["pair: geometry", "pair: texts", "other pair"]
    table = Table("silo", "fault", *labels, *pairs, "names", "any alarm")
    for name in SETS:
        silos = {modality: _read(name, modality, data, folder) for modality in ("image", "text")}
        for modality, target in (("text", "image"), ("image", "text")):
            for fault in FAULTS if modality == "text" else FAULTS[:-1]:
                draws = [_draw(silos[target], silos[modality], fault, seed) for seed in range(options.draws)]
                table.add_row(f"{name} {modality}", fault, *_told(draws))
    Console(width=150).print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default=".uml/benchmark-soundness")
    parser.add_argument("--draws", type=int, default=40)
    return parser.parse_args()


def _read(name: str, modality: str, data: Path, folder: Path) -> Silo:
    """A silo as its stages would leave it."""
    if name == "both":
        parts = [_read(one, modality, data, folder) for one in SETS[:2]]
        return pd.concat([rows for rows, _ in parts], ignore_index=True), np.concatenate([x for _, x in parts])
    source = data / "datasets" / name / f"{modality}_silo"
    rows = pd.read_csv(source / "manifest.csv")
    path = folder / f"{name}-{modality}.npy"
    if not path.exists():
        encoder, weights = PHOTO_ENCODERS["MobileNetV2"]
        sight = {"encoder": encoder, "checkpoint": str(data / "weights" / f"{weights}.safetensors")}
        keys = {} if modality == "text" else sight
        encoder = create_encoder(SiloConfig(modality=modality, path=".", **keys), folder)
        content = rows["text"] if modality == "text" else [source / one for one in rows["path"]]
        np.save(path, encoder.encode(list(content)).reshape(len(rows), -1))
    rows["sample_id"] = [sample_id(one) for one in rows["text" if modality == "text" else "path"]]
    once = ~rows["sample_id"].duplicated()
    return rows[once].reset_index(drop=True), np.load(path)[once.to_numpy()]


def _draw(target: Silo, silo: Silo, fault: str, seed: int) -> Draw:
    draw = np.random.default_rng(seed)
    rows, x = silo
    kept = draw.random(len(rows)) < 0.5
    rows, x = rows[kept].reset_index(drop=True), x[kept]
    before, pair = rows["label"], set[str]()
    classes = sorted(before.unique())
    if "%" in fault:
        share = float(fault.partition("%")[0]) / 100
        moved = np.where(draw.random(len(rows)) < share, draw.integers(1, len(classes), len(rows)), 0)
        codes = (pd.Index(classes).get_indexer(before) + moved) % len(classes)
        rows = rows.assign(label=np.array(classes, dtype=object)[codes])
    elif fault == "two exchanged":
        one, other = draw.choice(classes, 2, replace=False)
        rows, pair = rows.assign(label=before.replace({one: other, other: one})), {str(one), str(other)}
    elif fault == "file names":
        photos = target[0].sample(len(rows), random_state=seed).reset_index(drop=True)
        rows = rows.assign(text=photos["path"].map(lambda path: Path(path).name), label=photos["label"])
    seen = (target[0]["split"] != "test").to_numpy()
    known = target[0].loc[seen, "label"], target[1][seen]
    found = agreement(known, (rows["label"], x), 199)
    soundness = examine(target[0], known, (rows, x), found, same_space=False, permutations=199, alpha=0.05)
    return Draw(soundness, float((rows["label"] != before).mean()), pair)


def _told(draws: list[Draw]) -> list[str]:
    """The cells of one row: shares of draws, and the estimated share of wrong labels."""
    noise = [(one.of(LabelNoise), 0 if one.pair else one.wrong) for one in draws if one.of(LabelNoise)]
    estimates = np.array([found.share for found, _ in noise])
    pairs = [[{pair.one, pair.other} for pair in one.of(Exchanges).pairs] if one.of(Exchanges) else [] for one in draws]
    texts = [[set(pair) for pair in one.of(TextQuality).renamed] if one.of(TextQuality) else [] for one in draws]
    wrong = [[pair for pair in a + b if pair != one.pair] for a, b, one in zip(pairs, texts, draws, strict=True)]
    return [
        _share([found.alarming for found, _ in noise]),
        f"{100 * estimates.mean():.1f} ± {100 * estimates.std():.1f}" if noise else "",
        _share([found.low <= true <= found.high for found, true in noise if true]),
        _share([one.pair in found for one, found in zip(draws, pairs, strict=True)]),
        _share([one.pair in found for one, found in zip(draws, texts, strict=True)]),
        _share([bool(one) for one in wrong]),
        _share([one.found.findings[0].alarming for one in draws]),
        _share([one.found.alarming for one in draws]),
    ]


def _share(found: list[bool]) -> str:
    return f"{100 * np.mean(found):.0f}%" if found else ""


if __name__ == "__main__":
    main()
