import json

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from uml_pipeline.features.samples import Samples
from uml_pipeline.model import load
from uml_pipeline.pipeline import Step, call
from uml_pipeline.silo.manifest import read_manifest
from uml_pipeline.workspace import Workspace


def test_from_params_to_a_model_that_predicts(tuned):
    study = tuned()
    for stage in ("trunk", "model", "report"):
        call(study, Step(stage))
    trunk, model = (Workspace(study.folder).reading(stage) for stage in ("trunk", "model"))
    assert not (study.folder / ".uml" / "finetune").exists()

    runs = pd.read_parquet(trunk / "runs.parquet")
    assert sorted(set(runs["method"])) == ["uml", "uml_init", "unimodal"]
    assert len(runs) == 3 * 2
    curves = pd.read_parquet(trunk / "curves.parquet")
    assert set(curves["step"]) == {0, 3, 6}
    assert curves[curves["method"] == "uml"]["cosine target|descriptions"].notna().sum() == 2 * 2

    metrics = json.loads((trunk / "metrics.json").read_text())
    assert set(metrics) == {"runs", "gains", "arms", "ships", "test"}
    config = json.loads((trunk / "config.json").read_text())
    assert config["mode"] == "finetune"

    shipped = load(model)
    assert set(load_file(model / "model.safetensors")) == {"weight"}
    manifest = read_manifest(study, "drawings")
    samples = [study.folder / path for path in manifest["path"]]
    shares = shipped.predict_proba(samples)
    assert np.allclose(shares.sum(1), 1, atol=1e-5)
    assert len(Samples.of(study, "drawings", manifest)) == len(shares)
    tuned_weights, before = load_file(model / "encoder.safetensors"), load_file(study.folder / "net.safetensors")
    assert tuned_weights.keys() == before.keys()
    assert any((tuned_weights[name] != before[name]).any() for name in before)
