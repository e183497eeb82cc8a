"""Odd inputs, not damaged ones, through all six stages: a plain refusal, samples set aside, or a right result."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.micro import QUICK, run
from uml_pipeline.errors import UserError
from uml_pipeline.model import UnimodalModel
from uml_pipeline.model.predictions import table, writing
from uml_pipeline.silo import read_quality
from uml_pipeline.study import Study

NAMES = [
    "🐕‍🦺",
    "قطة",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    'a,b"c',
    "\u202egnp.exe",
    "-1",
    "{{7*7}}",
    "é",
]
Made = Callable[..., Study]


@pytest.fixture
def study(tmp_path: Path) -> Made:
    """`study(x, labels, texts)`: vectors [n, d] as the target, and texts by class beside them; nothing has run."""

    def make(x: np.ndarray, labels: list[str], **arrays: np.ndarray) -> Study:
        np.savez(tmp_path / "x.npz", x=x.astype(np.float32), label=np.array(labels), **arrays)
        rows = [(f"a thing of kind {label} number {one}", label) for label in dict.fromkeys(labels) for one in range(5)]
        pd.DataFrame(rows, columns=["text", "label"]).to_csv(tmp_path / "texts.csv", index=False)
        vectors = {"modality": "vector", "path": "x.npz", "encoder": "vectors"}
        texts = {"modality": "text", "path": "texts.csv", "encoder": "builtin/minilm"}
        params: dict[str, Any] = {"target": "vectors", "silos": {"vectors": vectors, "texts": texts}, "features": {}}
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(params | QUICK, sort_keys=False))
        return Study(tmp_path)

    return make


def clouds(each: int, names: list[str]) -> tuple[np.ndarray, list[str]]:
    """Well apart: [each * class, 8], and the labels."""
    middles = 6 * np.eye(len(names), max(8, len(names)))
    noise = np.random.default_rng(0).normal(size=(each * len(names), middles.shape[1]))
    return np.repeat(middles, each, 0) + noise, np.repeat(names, each).tolist()


@pytest.mark.parametrize(
    ("spoil", "each", "names", "told"),
    [
        (lambda x: x * np.nan, 20, ["a", "b", "c"], "NaN or infinity"),
        (lambda x: x * 1e30, 20, ["a", "b", "c"], "too large"),
        (lambda x: x[:1] + 0 * x, 20, ["a", "b", "c"], "no labelled sample on the side"),
        (lambda x: x, 20, ["a"], "at least two classes"),
        (lambda x: x, 1, ["a"], "at least two classes"),
        (lambda x: x, 1, ["a", "b", "c"], "no labelled sample on the side"),
        (lambda x: x, 2, ["a", "b", "c"], "no labelled sample on the side"),
    ],
    ids=["NaN", "huge", "duplicates", "one class", "one sample", "one a class", "two a class"],
)
def test_what_cannot_be_learnt_is_refused(
    study: Made, spoil: Callable[[np.ndarray], np.ndarray], each: int, names: list[str], told: str
) -> None:
    x, labels = clouds(each, names)
    with pytest.raises(UserError) as error:
        run(study(spoil(x), labels).folder)
    assert told in str(error.value)
    assert error.value.fix


def test_an_official_split_without_validation_is_refused(study: Made) -> None:
    x, labels = clouds(10, ["a", "b", "c"])
    with pytest.raises(UserError, match="on the side `val`"):
        run(study(x, labels, split=np.array((["train"] + 9 * ["test"]) * 3)).folder)


def test_a_few_bad_vectors_are_set_aside(study: Made) -> None:
    x, labels = clouds(20, ["a", "b", "c"])
    x[3, 2], x[7, 0] = np.nan, np.inf
    made = study(x, labels)
    run(made.folder)
    assert read_quality(made, "vectors")["bad"] == {"the vector holds NaN or infinity": 2}
    model = UnimodalModel.load(made.folder / "artifacts/model")
    assert model.predict(x[40:]).tolist() == labels[40:]


def test_names_in_any_script_come_through_as_they_are(study: Made, tmp_path: Path) -> None:
    x, labels = clouds(12, NAMES)
    made = study(x, labels)
    run(made.folder)
    model = UnimodalModel.load(made.folder / "artifacts/model")
    assert set(json.loads((model.folder / "labels.json").read_text())) == set(NAMES)
    assert np.mean(model.predict(x) == labels) > 0.95
    for file in (model.folder / "README.md", made.folder / "artifacts/report/index.html"):
        assert "<script>alert" not in file.read_text()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=2, max_size=2, unique=True))
def test_any_label_survives_the_table_of_predictions(tmp_path: Path, labels: list[str]) -> None:
    """Read back, and one apostrophe taken away where one was put, it is the label; no cell begins a formula."""
    model = object.__new__(UnimodalModel)
    model.labels = labels
    with writing(tmp_path / "found.csv") as append:
        append(table(model, [("one", np.float32([0.75, 0.25]))], 2))
    with (tmp_path / "found.csv").open(encoding="utf-8", newline="") as stream:
        [row] = csv.DictReader(stream)
    found = [row["label"], row["label_2"]]
    assert [one.removeprefix("'") for one in found] == labels
    assert not any(one.startswith(("=", "@", "\t", "\r")) for one in found)
