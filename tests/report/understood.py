"""A page where everything can be said, without any training."""

import math
from typing import Any

import pandas as pd

from tests.report.conftest import SHOTS
from uml_pipeline.report import evidence, figures, page
from uml_pipeline.report.facts import model_facts
from uml_pipeline.report.understanding.exchange import of_silo
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace


def understood(label: str = "alembic") -> dict[str, Any]:
    """understanding.json of a study where everything can be said, in the shape that `understand` gives it."""
    one = {"sample_id": "image0", "path": f"data/{label}.png", "label": label, "ours": label, "baseline": "crab"}
    moved = {"label": label, "taken_for": "crab", "ours": 0, "baseline": 2, "examples": [one, one]}
    gain = {"label": label, "mean": 20.0, "low": 5.0, "high": 35.0, "samples": 24}
    hurt = gain | {"label": "crab", "mean": -8.0, "low": -20.0, "high": 4.0}
    at = {
        "classes": 331,
        "beyond_noise": {"helped": 15, "hurt": 4},
        "by_chance": 16.6,
        "helped": [gain],
        "hurt": [hurt],
    }
    silent = {"cannot_say": "fewer than 3 classes have two test samples"}
    spaces = {
        "silhouette": silent,
        "davies_bouldin": silent,
        "effective_rank": {"ours": 9.0, "baseline": 9.0, "difference": None},
    }
    diagonal = {"dominance": 5.4, "nearest": 63.0, "p_value": 0.001, "null": [-0.1, 0.1]}
    interval = {"mean": -0.9, "low": -1.2, "high": -0.6}
    alpha = [{"method": "uml", "shots": 1, "value": value, "loss": 2.4 - value} for value in (0.0, 0.3, 1.0)]
    rows = [
        {"kind": "blur", "unit": "pixels", "strength": strength, "ours": 70.0, "baseline": 68.0, "difference": interval}
        for strength in (2, 4)
    ]
    return {
        "contest": {"ours": {"label": "UML", "shipped": True}, "baseline": {"label": "Unimodal probe"}, "samples": 331},
        "margins": {"ours": {"mean": 14.1}, "baseline": {"mean": 15.0}, "difference": interval},
        "clusters": {"input": {"space": "the head's input"} | spaces, "logits": {"space": "the logits"} | spaces},
        "alignment": {
            "descriptions": {"ours": diagonal, "baseline": diagonal, "note": "As trained."},
            "scrambled": silent,
        },
        "classes": [at | {"shots": shots} for shots in SHOTS],
        "moved": {
            "newly_right": {"count": 9, "examples": [one]},
            "newly_wrong": {"count": 0, "examples": []},
            "confusions": [moved, moved | {"taken_for": "still", "ours": 3, "baseline": 1}],
        },
        "robustness": {"samples": 300, "of": 331, "clean": {"ours": 73.4, "baseline": 72.9}, "rows": rows},
        "exchange": {"descriptions": of_silo(_grid())},
        "curves": {"alpha": alpha, "ratio": []},
    }


def _grid() -> pd.DataFrame:
    """Accuracy that grows with both numbers of samples, on four splits."""
    return pd.DataFrame(
        {"silo": "descriptions", "method": "uml", "shots": shots, "level": level, "auxiliary": 331.0 * level}
        | {"seed": seed, "samples": 331, "words": 1655.0 * level}
        | {"correct": int(331 * (0.5 + 0.1 * math.log2(shots + 0.3 * level) + 0.004 * seed))}
        for shots in SHOTS
        for level in (0, 2, 4)
        for seed in range(4)
    )


def written_page(study: Study, found: dict[str, Any]) -> str:
    """The page of a study, with what was understood of it."""
    told = evidence.read(study)
    picture = Workspace(study.folder).reading("silo", "drawings") / "contact.png"
    return page.render(told, model_facts(study), figures.draw(told, found), found, {"image0": picture})
