"""Fine-tuning a small network of timm on photos, alone and with texts: all labelled photos, and 10 % of them."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from studies import tables
from studies.measure import inputs_hash, prepared
from studies.place import Place
from studies.plan import Plan, Record, Results
from studies.silos import PHOTO_ENCODERS
from uml_pipeline.features import read_features
from uml_pipeline.learn.geometry import unit
from uml_pipeline.learn.splits import episodes
from uml_pipeline.pipeline import Step, call
from uml_pipeline.report.canvas import canvas
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, read_json

SIDE, MOST = 112, 3
FINETUNE = {
    "arms": ["unimodal_paper", "unimodal", "uml", "uml_init"],
    "alphas": [0.3],
    "steps": 50,
    "look_every": 25,
    "warm_up": 10,
    "batch": 16,
    "augment": "flip",
}
SETTINGS: dict[str, tuple[int, dict[str, Any]]] = {
    "10 % (3 a class)": (3, {}),
    "all (31 a class)": (31, {"batch": 32}),
}
"""Photos a class, and what is not as in FINETUNE. At most three draws: one takes minutes."""


def _measured(shots: int, other: dict[str, Any], place: Place, seeds: int) -> Record:
    named, weights = PHOTO_ENCODERS["MobileNetV2"]
    data = place.set("caltech50")
    photos = {
        "modality": "image",
        "path": str(data / "image_silo"),
        "encoder": f"{named}&input_size=[3,{SIDE},{SIDE}]&crop_pct=1",
        "checkpoint": place.weights(weights),
    }
    texts = {"modality": "text", "path": str(data / "text_silo"), "encoder": "builtin/minilm"}
    trunk = {"mode": "finetune", "shots": [shots], "seeds": min(seeds, MOST), "finetune": FINETUNE | other}
    study = prepared({"target": "photos", "silos": {"photos": photos, "texts": texts}, "trunk": trunk}, place)
    call(study, Step("trunk"))
    artifact = Workspace(study.folder).reading("trunk")
    metrics = read_json(artifact / "metrics.json")
    runs = pd.read_parquet(artifact / "runs.parquet")
    return {
        "inputs": inputs_hash(study),
        "frozen": _spread(frozen(study, shots, trunk["seeds"])),
        "arms": {name: {"label": arm["label"], **_spread(_tests(runs, name))} for name, arm in metrics["arms"].items()},
        "gains": {gain["method"]: gain for gain in metrics["gains"]},
        "ships": metrics["ships"],
        "curves": _curves(pd.read_parquet(artifact / "curves.parquet")),
    }


def _tests(runs: pd.DataFrame, method: str) -> "list[float]":
    return runs.loc[runs["method"] == method, "test"].dropna().tolist()


def _spread(values: "list[float]") -> dict[str, float]:
    return {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1)), "draws": len(values)}


def frozen(study: Study, shots: int, seeds: int) -> list[float]:
    """Test accuracies, in percent, of logistic regression on the frozen features of the same draws."""
    from sklearn.linear_model import LogisticRegression

    manifest, x = read_features(study, study.target)
    x, labels, found = unit(x), manifest["label"].to_numpy(), []
    for one in episodes(manifest, shots, seeds):
        fits = [LogisticRegression(C=c, max_iter=2000).fit(x[one.train], labels[one.train]) for c in (10, 100, 1000)]
        best = max(fits, key=lambda fit: fit.score(x[one.val], labels[one.val]))
        found.append(100 * best.score(x[one.test], labels[one.test]))
    return found


def _curves(table: pd.DataFrame) -> dict[str, Any]:
    """Validation accuracy, and the cosine of the modalities' gradients on the head, at each look, mean over draws."""
    found = {}
    for name, own in table[table["chosen"]].groupby("method", sort=False):
        over = own.groupby("step")
        cosines = [column for column in own.columns if column.startswith("cosine") and own[column].notna().any()]
        found[str(name)] = {
            "accuracy": {int(step): float(value) for step, value in over["accuracy"].mean().items()},
            "cosine": {int(step): float(v) for step, v in over[cosines[0]].mean().dropna().items()} if cosines else {},
        }
    return found


def blocks(results: Results) -> dict[str, str]:
    """Tables of the page."""
    first = next(iter(results.values()))
    rows = [["frozen encoder, logistic regression", *(_accuracy(one["frozen"]) for one in results.values())]]
    for name, arm in first["arms"].items():
        rows.append([arm["label"], *(_accuracy(one["arms"][name]) for one in results.values())])
    for name in first["gains"]:
        label = f"{first['arms'][name]['label']}, over the best without texts"
        rows.append([label, *(tables.signed(one["gains"][name]) for one in results.values())])
    rows.append(["ships", *(f"`{one['ships']['method']}`" for one in results.values())])
    return {"accuracies": tables.table(["arm", *results], rows), "foot": tables.foot(results)}


def _accuracy(one: dict[str, float]) -> str:
    return "{mean:.1f} ± {std:.1f}".format(**one)


def figure(results: Results) -> str:
    """Learning with all photos."""
    with canvas("finetuning", 9, 3.2) as (drawing, text):
        left, right = drawing.subplots(1, 2)
        for name, one in results["all (31 a class)"]["curves"].items():
            left.plot([int(step) for step in one["accuracy"]], list(one["accuracy"].values()), label=name)
            right.plot([int(step) for step in one["cosine"]], list(one["cosine"].values()))
        left.set(xlabel="steps", ylabel="validation accuracy, %")
        right.set(xlabel="steps", ylabel="cosine of gradients on the head")
        left.legend(frameon=False)
        drawing.subplots_adjust(bottom=0.16, wspace=0.25)
    return text.getvalue()


PLAN = Plan({name: partial(_measured, *one) for name, one in SETTINGS.items()}, blocks, {"finetuning.svg": figure})
