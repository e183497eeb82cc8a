"""Few-shot photos with machine-written descriptions: every arm, with and without a bridge, and with the wrong texts.

    UML_DATA_DIR=... python -m benchmarks.photos [--seeds 5] [FOLDER]     # FOLDER keeps the features between runs

Figures: docs/results.md. Target: caltech50 (MobileNetV2 features), texts: its descriptions (MiniLM). With a bridge, 15
of the 50 classes, drawn once, leave the target and join tinyimagenet40 as samples of other classes.
"""

import argparse
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from benchmarks import trunks
from uml_pipeline.report import words
from uml_pipeline.report.canvas import ACCENT, GREY, INK, canvas

SHOTS, LENT, OWN = [1, 2, 4, 8, 16], 15, 35


@dataclass(frozen=True)
class Setting:
    """One row of the comparison: how many classes the bridge has, and whether texts say what they should."""

    name: str
    lent: int = 0  # classes of caltech50 that go into the bridge
    tiny: int = 0  # classes of tinyimagenet40 in it
    target: int = 50  # classes of the target; 35: without those that may be lent
    wrong: bool = False  # texts of another data set under the target's class names


SETTINGS = [
    Setting("no bridge"),
    Setting("no bridge, wrong texts", wrong=True),
    Setting("35 classes, no bridge", target=OWN),
    *(Setting(f"35 classes, bridge of {n}", min(LENT, n), max(0, n - LENT), OWN) for n in (10, 25, 55)),
]


def main() -> None:
    """Print a table for each setting, then one line of JSON."""
    options = _options()
    console, folder, data = Console(width=130), Path(options.folder), Path(os.environ["UML_DATA_DIR"])
    path = folder / "photos.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for setting in SETTINGS:
        if options.only and options.only not in setting.name:
            continue
        metrics, verdicts = trunks.run(folder, _params(setting, folder, data, options.seeds))
        console.print(trunks.table(setting.name, metrics, verdicts))
        results[setting.name] = {key: metrics[key] for key in ("runs", "gains", "ships", "arms")}
        path.write_text(json.dumps(results, indent=1), encoding="utf-8")
    (folder / "bridge.svg").write_text(_figure(results), encoding="utf-8")
    print(json.dumps({name: trunks.chosen(one) for name, one in results.items()}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default=".uml/benchmark-photos")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", help="settings whose name has this in it")
    return parser.parse_args()


def _params(setting: Setting, folder: Path, data: Path, seeds: int) -> dict[str, Any]:
    """The study of a setting, its silos made."""
    caltech, tiny = data / "datasets/caltech50", data / "datasets/tinyimagenet40"
    photos, texts = _manifest(caltech / "image_silo"), _manifest(caltech / "text_silo")
    others, told = _manifest(tiny / "image_silo"), _manifest(tiny / "text_silo")
    classes = sorted(photos["label"].unique())
    away = set(np.random.default_rng(0).permutation(classes)[:LENT])
    own = [name for name in classes if setting.target == len(classes) or name not in away]
    few = sorted(set(others["label"]) - set(classes))[: setting.tiny]
    lent = photos[photos["label"].isin(sorted(away)[: setting.lent]) & (photos["split"] != "test")]
    bridge = pd.concat([lent, others[others["label"].isin(few) & (others["split"] != "test")]])
    said = pd.concat([texts[texts["label"].isin({*own, *lent["label"]})], told[told["label"].isin(few)]])
    if setting.wrong:
        names = dict(zip(sorted(told["label"].unique()), np.random.default_rng(1).permutation(own), strict=False))
        said = told.assign(label=told["label"].map(names)).dropna(subset="label")
    silos = {"photos": _image(folder, "photos", photos[photos["label"].isin(own)], data)}
    silos["texts"] = _texts(folder, said)
    if len(bridge):
        silos["bridge"] = _image(folder, "bridge", bridge, data)
    return {"target": "photos", "silos": silos, "trunk": {"shots": SHOTS, "seeds": seeds}}


def _figure(results: dict[str, trunks.Figures]) -> str:
    """Gain by the number of classes in the bridge, at the fewest shots, as SVG."""
    with canvas("bridge", 5.6, 3.2) as (figure, text):
        axes = figure.add_subplot()
        axes.axhline(0, color=INK, linewidth=0.8)
        for place, shots in enumerate(SHOTS[:3]):
            drawn = [
                (setting.lent + setting.tiny, gain)
                for setting in SETTINGS
                if setting.target == OWN
                for gain in trunks.chosen(results.get(setting.name, {"gains": []}))
                if gain["shots"] == shots
            ]
            x = [classes + 1.2 * (place - 1) for classes, _ in drawn]
            mean, low, high = (np.array([gain[key] for _, gain in drawn]) for key in ("mean", "low", "high"))
            style = {"color": [ACCENT, "#1f83c4", GREY][place], "marker": "osD"[place]}
            axes.errorbar(x, mean, [mean - low, high - mean], capsize=3, label=words.shots(shots), **style)
        axes.set_xlabel("classes in the bridge")
        axes.set_ylabel("gain, points")
        axes.legend(frameon=False)
        figure.subplots_adjust(bottom=0.16)
    return text.getvalue()


def _manifest(silo: Path) -> pd.DataFrame:
    """A silo's table, files named by their whole path."""
    table = pd.read_csv(silo / "manifest.csv")
    return table.assign(path=[str(silo / path) for path in table["path"]]) if "path" in table else table


def _image(folder: Path, name: str, rows: pd.DataFrame, data: Path) -> dict[str, Any]:
    """Link the files into a silo of the study."""
    shutil.rmtree(folder / name, ignore_errors=True)
    for number, path in enumerate(rows["path"]):
        place = folder / name / "files" / f"{number:05}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    table = rows.assign(path=[f"files/{number:05}.jpg" for number in range(len(rows))])
    table[["path", "label", "split"]].to_csv(folder / name / "manifest.csv", index=False)
    return {"modality": "image", "path": name, "encoder": trunks.ENCODER, "checkpoint": str(data / trunks.WEIGHTS)}


def _texts(folder: Path, rows: pd.DataFrame) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    rows[["text", "label"]].to_csv(folder / "texts.csv", index=False)
    return {"modality": "text", "path": "texts.csv", "encoder": "builtin/minilm"}


if __name__ == "__main__":
    main()
