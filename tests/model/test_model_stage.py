import random

import numpy as np
import yaml

from tests.conftest import CLASSES
from uml_pipeline.features import read_features
from uml_pipeline.model import UnimodalModel
from uml_pipeline.pipeline import Step, call
from uml_pipeline.study import Study


def test_an_encoder_that_learnt_from_the_training_rows_is_shipped_as_it_is(tiny_study):
    """Nothing is fitted again: the shipped model sees rows as the features' encoder did."""
    study, rows = with_a_table(tiny_study)
    for stage in ("silo", "features"):
        for name in study.params.silos:
            call(study, Step(stage, name))
    for stage in ("relevance", "trunk", "model"):
        call(study, Step(stage))
    model = UnimodalModel.load(study.folder / "artifacts" / "model")
    _, features = read_features(study, "rows")
    assert {tuple(row) for row in features} == {tuple(row) for row in model.encoder.encode(rows)}
    assert np.isfinite(model.predict_proba(rows)).all()


def with_a_table(study):
    """The study with rows as its target, and what they hold."""
    hand = random.Random(0)
    rows = [{"size": round(at % 6 + hand.gauss(0, 0.2), 3), "kind": hand.choice("xy")} for at in range(48)]
    lines = [f"{label},{row['size']},{row['kind']}" for label, row in zip(CLASSES * 8, rows, strict=True)]
    (study.folder / "data" / "rows.csv").write_text("\n".join(["label,size,kind", *lines]) + "\n")
    path = study.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    table, texts = {"modality": "table", "path": "data/rows.csv"}, params["silos"]["descriptions"]
    params |= {"target": "rows", "silos": {"rows": table, "descriptions": texts}}
    params |= {"relevance": {"permutations": 99}, "trunk": {"shots": [1], "seeds": 2}}
    path.write_text(yaml.safe_dump(params))
    return Study(study.folder), rows
