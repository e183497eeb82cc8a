"""A study whose artifacts were written by hand, as the rooms before the report write them."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from safetensors.numpy import save_file

from uml_pipeline import lineage
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, write_json

ARMS = {
    "class_mean": ("Class mean", "image-only", "Nearest mean of the labelled drawings."),
    "logreg": ("Logistic regression", "image-only", "L2-regularised, strength chosen by validation."),
    "unimodal": ("Unimodal probe", "image-only", "The same training as UML, without auxiliary silos."),
    "uml": ("UML", "uml", "A shared head, trained on drawings and sentences in turn."),
    "uml_init": ("UML, text start", "uml", "UML with a head that starts from the sentences' class means."),
    "uml_prior": ("UML, text prior", "uml", "UML with the sentences as a prior of the head."),
    "uml_scrambled": ("UML, scrambled forced in", "control", "What if it were used all the same."),
    "zero_shot": ("Zero-shot from text", "text-only", "Classes by their sentences alone."),
}
MEANS = {
    "class_mean": (50.4, 64.1, 70.1),
    "logreg": (49.8, 65.0, 71.0),
    "unimodal": (50.6, 65.3, 71.4),
    "uml": (51.9, 66.0, 71.6),
    "uml_init": (52.5, 66.1, 71.5),
    "uml_prior": (53.3, 66.9, 72.0),
    "uml_scrambled": (50.2, 65.0, 71.2),
}
SHOTS = (1, 2, 4)
PARAMS = {
    "target": "drawings",
    "silos": {
        "drawings": {"modality": "image", "path": "data/drawings", "encoder": "builtin/emoji"},
        "descriptions": {"modality": "text", "path": "data/descriptions.csv", "encoder": "builtin/minilm"},
        "scrambled": {"modality": "text", "path": "data/scrambled.csv", "encoder": "builtin/minilm"},
    },
    "trunk": {"shots": list(SHOTS), "seeds": 24, "forced": ["scrambled"]},
}


def trunk_metrics(*, lift: float = 0.0, noise: float = 0.8) -> dict[str, Any]:
    """artifacts/trunk/metrics.json; `lift` is added to UML's arms, `noise` is half of each interval."""
    means = {arm: tuple(mean + lift * (ARMS[arm][1] == "uml") for mean in values) for arm, values in MEANS.items()}
    runs = [
        {"method": arm, "shots": shots, "seeds": 24, "mean": mean, "std": 4.3 - 0.3 * place}
        for arm, values in means.items()
        for place, (shots, mean) in enumerate(zip(SHOTS, values, strict=True))
    ]
    runs.append({"method": "zero_shot", "shots": 0, "seeds": 24, "mean": 19.7, "std": 2.1})
    gains = [
        {"method": arm, "against": rival, "shots": shots, "mean": (gain := means[arm][place] - means[rival][place])}
        | {"low": gain - noise / shots, "high": gain + noise / shots}
        for place, shots in enumerate(SHOTS)
        for arm in means
        if arm.startswith("uml")
        for rival in ("class_mean", "logreg", "unimodal")
    ]
    helps = lift >= 0
    return {
        "runs": runs,
        "gains": gains,
        "arms": {arm: {"label": label, "kind": kind, "about": about} for arm, (label, kind, about) in ARMS.items()},
        "ships": {
            "method": "uml_prior" if helps else "unimodal",
            "against": "unimodal" if helps else None,
            "reason": "it is ahead of the strongest arm without auxiliary silos on the validation splits by 2.5 points"
            if helps
            else "no UML arm is ahead of it on the validation splits beyond noise",
            "val": {"uml_prior": 54.0},
        },
        "test": {"ships": 73.4, "baseline": 72.9, "samples": 331},
    }


def write_silo(folder: Path, kind: str, label: str, text: str) -> None:
    """artifacts/silo/<name>."""
    ids = [f"{kind}{number}" for number in range(6)]
    content = {"path": "data/drawings/alembic/noto.png"} if kind == "image" else {"text": text}
    manifest = pd.DataFrame({"sample_id": ids, "label": label, "split": "test", "bad": None} | content)
    manifest.to_parquet(folder / "manifest.parquet")
    expectations = [
        {
            "name": "expect_two_labels",
            "column": "label",
            "asks": "at least two classes",
            "passed": True,
            "severity": "critical",
            "observed": "331",
        },
        {
            "name": "expect_column_values_to_be_unique",
            "column": "sample_id",
            "passed": False,
            "asks": "few words",
            "severity": "warning",
            "observed": "2 of 1984 samples are not as expected",
        },
    ]
    quality = {"rows": 1986, "good": 1984, "bad": {"unreadable image": 2}, "classes": 331, "groups": 6, "passed": True}
    quality["bad_samples"] = {"unreadable image": ["cat.png"]}
    write_json(folder / "quality.json", quality | {"expectations": expectations})
    if kind == "image":
        Image.new("RGB", (64, 32), (200, 80, 40)).save(folder / "contact.png")
    else:
        write_json(folder / "examples.json", [[text, label], {"text": f"another: {text}", "label": label}])


def soundness(label: str, *, alarming: list[str]) -> dict[str, Any]:
    """What relevance finds suspicious about a silo's samples."""
    odd = {
        "sample_id": "text0",
        "class": label,
        "text": "a still",
        "reason": "other name",
        "looks": "still",
        "score": 1.0,
    }
    return {"alarming": alarming, "suspicious": {"samples": 40, "first": [odd, odd | {"text": None, "looks": None}]}}


def runs() -> pd.DataFrame:
    """artifacts/trunk/runs.parquet: of every arm the accuracy on every split, and a setting that was not chosen."""
    draw = np.random.default_rng(0)
    hard = draw.normal(0, 4, 24)  # splits differ more than arms do
    rows = [
        {"method": arm, "shots": shots, "seed": seed, "alpha": 1.0, "loss": 1.1 + 0.01 * (seed % 3), "chosen": True}
        | {"test": mean + hard[seed] + noise}
        for arm, means in MEANS.items()
        for shots, mean in zip(SHOTS, means, strict=True)
        for seed, noise in enumerate(draw.normal(0, 2, 24))
    ]
    rows += [row | {"alpha": 0.3, "loss": 1.2, "chosen": False, "test": None} for row in rows if row["method"] == "uml"]
    setting = {"scale": 10.0, "learning_rate": 0.003, "weight_decay": 0.0, "batch": 64, "learn_scales": False}
    return pd.DataFrame(rows).assign(**setting, ratio=1.0, strength=1.0)


def verdict(silo: str, *, relevant: bool, label: str = "alembic") -> dict[str, Any]:
    """artifacts/relevance/<silo>.json."""
    chance = random.Random(0)
    return {
        "silo": silo,
        "verdict": "helps" if relevant else "harms",
        "p_value": 0.001 if relevant else 0.6,
        "alone": {
            "gain": {"mean": 1.5, "low": 0.6, "high": 2.4} if relevant else {"mean": 0.0, "low": -0.5, "high": 0.5},
            "permuted": -0.1,
        },
        "beside": None,
        "geometry": {
            "statistic": 0.21 if relevant else -0.004,
            "p_value": 0.001 if relevant else 0.6,
            "null": [chance.gauss(0, 0.02) for _ in range(999)],
        },
        "shared_classes": 331,
        "set_aside": [],
        "soundness": soundness(label, alarming=[] if relevant else ["LabelNoise"]),
        "used": relevant,
        "reasons": ["classes that look alike are described alike"] if relevant else ["no better than chance"],
    }


def write_study(
    folder: Path, metrics: dict[str, Any], *, label: str = "alembic", text: str = "a drawing of an alembic"
) -> Study:
    """A study folder with all artifacts up to the model."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False))
    study, workspace = Study(folder), Workspace(folder)
    for name, silo in study.params.silos.items():
        with workspace.writing("silo", name) as out:
            write_silo(out, silo.modality, label, text)
        with workspace.writing("features", name) as out:
            (out / "index.parquet").write_bytes(name.encode())
    with workspace.writing("relevance") as out:
        for name in study.auxiliary:
            write_json(out / f"{name}.json", verdict(name, relevant=name == "descriptions", label=label))
    with workspace.writing("trunk") as out:
        write_json(out / "metrics.json", metrics)
        recipe = {"method": "unimodal"}  # no models that could be opened: what ships is the baseline
        write_json(out / "config.json", {"ships": recipe, "baseline": recipe, "rival": None})
        runs().to_parquet(out / "runs.parquet")
    with workspace.writing("model") as out:
        save_file({"head": np.zeros((331, 384), np.float32)}, out / "model.safetensors")
        encoder = {"encoder": "builtin/emoji", "dim": 384, "fingerprint": "f1", "fitted": {"a column": {"mean": 0.5}}}
        write_json(out / "config.json", {"encoder": encoder, "preprocessing": "unit(x)", "samples": 1655})
        write_json(out / "labels.json", [label] * 331)
        write_json(out / "lineage.json", lineage.collect(study, "5e" * 32))
    return study


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Study]:
    """`make(lift=…, label=…)` gives a study with all artifacts up to the model."""

    def build(*, lift: float = 0.0, noise: float = 0.8, **words: str) -> Study:
        return write_study(tmp_path / "study", trunk_metrics(lift=lift, noise=noise), **words)

    return build
