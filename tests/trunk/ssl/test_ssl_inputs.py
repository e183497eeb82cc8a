import json

import numpy as np
import pytest
import yaml

from tests.conftest import before_trunk
from tests.trunk.ssl.conftest import FAST
from uml_pipeline.errors import UserError
from uml_pipeline.model import UnimodalModel
from uml_pipeline.pipeline import Step, call
from uml_pipeline.silo.manifest import read_manifest
from uml_pipeline.study import Study
from uml_pipeline.trunk.ssl.inputs import gather
from uml_pipeline.workspace import Workspace


def test_steps_of_a_frozen_network(tiny_study):
    """Cells beside embeddings; what ships reads cells, too."""
    path = tiny_study.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    del params["silos"]["scrambled"]
    inputs = {"drawings": "frozen", "descriptions": "frozen"}
    ssl = FAST | {"steps": 3, "inputs": inputs, "network": FAST["network"] | {"longest": 12}}
    params["trunk"] = {"mode": "ssl", "shots": [1], "seeds": 6, "ssl": ssl}
    path.write_text(yaml.safe_dump(params))
    study = before_trunk(Study(tiny_study.folder))
    found = gather(study)
    assert {one.shape for one in found.x} == {(9, 256)}  # of 4 x 4 cells
    assert {one.shape[1] for one in found.silos["descriptions"]} == {384}
    for stage in ("trunk", "model"):
        call(study, Step(stage))
    model = Workspace(study.folder).reading("model")
    assert json.loads((model / "config.json").read_text())["reader"]["steps"] == "frozen"
    manifest = read_manifest(study, "drawings")
    test = manifest[manifest["split"] == "test"]
    predicted = UnimodalModel.load(model).predict([study.folder / one for one in test["path"]])
    metrics = json.loads((Workspace(study.folder).reading("trunk") / "metrics.json").read_text())
    assert metrics["test"]["ships"] == pytest.approx(100 * np.mean(predicted == test["label"]))


def test_one_step_though_there_are_more(waves):
    study = waves(inputs={"waves": "vector"})
    assert {one.shape for one in gather(study).x} == {(1, 18)}
    for stage in ("trunk", "model"):
        call(study, Step(stage))
    model = UnimodalModel.load(Workspace(study.folder).reading("model"))
    series = [np.zeros((length, 2), np.float32) for length in (3, 9)]
    assert np.allclose(model.predict_proba(series).sum(1), 1, atol=1e-5)


def test_steps_that_cannot_be_had_are_refused(waves):
    with pytest.raises(UserError, match="'wavs' is no silo") as caught:
        gather(waves(inputs={"wavs": "raw"}))
    assert "waves, echoes, notes" in caught.value.fix
    with pytest.raises(UserError, match="'builtin/series' gives no frozen steps"):
        gather(waves(inputs={"waves": "frozen"}))
