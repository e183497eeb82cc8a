import json
import shutil

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from uml_pipeline.errors import UserError
from uml_pipeline.model import UnimodalModel
from uml_pipeline.pipeline import Step, call
from uml_pipeline.silo.manifest import read_manifest
from uml_pipeline.study import Study
from uml_pipeline.trunk.finetune.inputs import gather
from uml_pipeline.workspace import Workspace

ARMS = ["unimodal", "uml", "uml_init"]


def train(study):
    call(study, Step("trunk"))
    folder = Workspace(study.folder).reading("trunk")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_from_params_to_a_model_that_predicts_alone(tuned, tmp_path):
    study = tuned(augment="crop", probe_steps=0)
    for stage in ("trunk", "model", "report"):
        call(study, Step(stage))
    trunk, model = (Workspace(study.folder).reading(stage) for stage in ("trunk", "model"))
    assert not (study.folder / ".uml" / "finetune").exists()

    runs = pd.read_parquet(trunk / "runs.parquet")
    assert list(dict.fromkeys(runs["method"])) == ARMS
    assert len(runs) == 3 * 2
    curves = pd.read_parquet(trunk / "curves.parquet")
    assert set(curves["step"]) == {0, 3, 6}
    cosines = curves.loc[curves["method"] == "uml", "cosine target|descriptions"].dropna()
    assert len(cosines) == 2 * 2
    assert cosines.between(-1, 1).all()

    metrics, config = (json.loads((trunk / name).read_text()) for name in ("metrics.json", "config.json"))
    assert set(metrics) == {"runs", "gains", "arms", "ships", "test"}
    assert {gain["method"] for gain in metrics["gains"]} == set(ARMS[1:])
    assert config["mode"] == "finetune"

    manifest = read_manifest(study, "drawings")
    samples = [study.folder / path for path in manifest["path"]]
    right = [
        label == UnimodalModel.load(model).predict([path])[0]
        for label, path in zip(manifest["label"], samples, strict=True)
    ]
    test = manifest["split"] == "test"
    assert metrics["test"]["ships"] == pytest.approx(100 * np.mean(np.array(right)[test]))

    shutil.move(model, tmp_path / "model")  # nothing of the study is needed
    before = load_file(study.folder / "test_vit.safetensors")
    kept = tmp_path / "samples"
    shutil.copytree(study.folder / "data" / "drawings", kept)
    shutil.rmtree(study.folder)
    shipped = UnimodalModel.load(tmp_path / "model")
    assert set(load_file(tmp_path / "model" / "model.safetensors")) == {"weight", "centre"}
    assert np.allclose(shipped.predict_proba(sorted(kept.rglob("*.png"))).sum(1), 1, atol=1e-5)
    after = load_file(tmp_path / "model" / "encoder.safetensors")
    assert after.keys() == before.keys()
    assert any((after[name] != before[name]).any() for name in before)
    assert "fine-tuned" in (tmp_path / "model" / "README.md").read_text()


def test_an_encoder_that_comes_with_the_library_ships_its_trained_weights(tuned, with_silo):
    """It exports nothing while frozen: its weights stand beside the head."""
    study = with_silo(tuned(arms=["unimodal"], probe_steps=0), "drawings", encoder="builtin/emoji", checkpoint=None)
    for stage in ("trunk", "model"):
        call(study, Step(stage))
    folder = Workspace(study.folder).reading("model")
    weights = load_file(folder / "model.safetensors")
    trained = {name for name in weights if name.startswith("encoder.")}
    assert weights.keys() - trained == {"weight", "centre"}
    model = UnimodalModel.load(folder)
    inside = model.encoder.net.state_dict()
    assert {f"encoder.{name}" for name in inside} == trained
    assert all((inside[name].numpy() == weights[f"encoder.{name}"]).all() for name in inside)
    manifest = read_manifest(study, "drawings")
    shares = model.predict_proba([study.folder / path for path in manifest["path"]])
    test = (manifest["split"] == "test").to_numpy()
    right = [model.labels[one] for one in shares.argmax(1)] == manifest["label"]
    metrics = json.loads((Workspace(study.folder).reading("trunk") / "metrics.json").read_text())
    assert 100 * right[test].mean() == pytest.approx(metrics["test"]["ships"])


def test_two_runs_give_equal_bytes(tuned):
    assert train(tuned(arms=["unimodal"])) == train(tuned(arms=["unimodal"]))


def test_an_encoder_without_weights_cannot_be_tuned(tuned):
    study = tuned()
    logmel = study.params.silos["drawings"].model_copy(update={"modality": "audio", "encoder": "builtin/logmel"})
    inputs = gather(study)
    study.params.silos["drawings"] = logmel
    with pytest.raises(UserError, match="no network"):
        inputs.encoder("drawings")


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"arms": ["uml"]}, "needs a baseline"),
        ({"alphas": []}, "alphas"),
        ({"layer_decay": 2}, "layer_decay"),
        ({"stepz": 2}, "did you mean 'steps'"),
    ],
)
def test_what_makes_no_sense_is_refused(prepared, tuned, keys, told):
    with pytest.raises(UserError, match=told):
        tuned(**keys)


def test_fewer_seeds_and_shots_by_default(tuned):
    study = tuned(trunk={"shots": [4], "seeds": 3})
    path = study.folder / "params.yaml"
    path.write_text(path.read_text().replace("  shots:\n  - 4\n", "").replace("  seeds: 3\n", ""))
    assert (Study(study.folder).params.trunk.shots, Study(study.folder).params.trunk.seeds) == ([4], 3)
