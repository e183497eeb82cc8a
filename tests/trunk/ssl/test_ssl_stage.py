import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.numpy import load_file, save_file

from tests.trunk.ssl.conftest import FAST
from uml_pipeline.errors import UserError
from uml_pipeline.features.samples import Samples
from uml_pipeline.learn.engine import loop
from uml_pipeline.model import UnimodalModel
from uml_pipeline.pipeline import Step, call
from uml_pipeline.silo.manifest import read_manifest
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, seal

ALONE, JOINT = ["steps_mean", "untrained", "unimodal"], ["uml", "uml_shuffled", "uml_noise"]


class Killed(Exception):
    pass


def train(study):
    call(study, Step("trunk"))
    folder = Workspace(study.folder).reading("trunk")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def metrics_of(study):
    return json.loads((Workspace(study.folder).reading("trunk") / "metrics.json").read_text())


def test_from_params_to_a_model_that_predicts_alone(waves, tmp_path):
    study = waves()
    for stage in ("trunk", "model", "report"):
        call(study, Step(stage))
    trunk, model = (Workspace(study.folder).reading(stage) for stage in ("trunk", "model"))
    assert not (study.folder / ".uml" / "ssl").exists()

    runs = pd.read_parquet(trunk / "runs.parquet")
    assert list(dict.fromkeys(runs["method"])) == [*ALONE, *JOINT]
    assert len(runs) == 6 * 2 * 2
    assert runs[["test", "nearest", "val"]].stack().between(0, 100).all()
    curves = pd.read_parquet(trunk / "curves.parquet")
    assert set(curves["step"]) == {0, 3, 6}
    cosines = curves.loc[curves["method"] == "uml", "cosine target|silo echoes"].dropna()
    assert len(cosines) == 2 * 2 * 2
    assert cosines.between(-1, 1).all()

    metrics, config = metrics_of(study), json.loads((trunk / "config.json").read_text())
    assert {gain["method"] for gain in metrics["gains"]} == set(JOINT)
    assert metrics["used"] == ["echoes", "notes"]
    page = (Workspace(study.folder).reading("report") / "index.html").read_text()
    assert "not used in training" not in page
    assert f"{metrics['monitors']['without_learning']['copy']:.3f} for who copies the last step" in page
    assert all(f"<td>{one['rank']:.1f}</td>" in page for one in metrics["monitors"]["arms"].values())
    assert {gain["against"] for gain in metrics["gains"]} <= set(ALONE)
    assert config["mode"] == "ssl"
    monitors = metrics["monitors"]
    assert set(monitors["arms"]) == {*ALONE, *JOINT}
    assert ["loss" in monitors["arms"][arm] for arm in (*ALONE, *JOINT)] == [False, False, True, True, True, True]
    assert monitors["arms"]["steps_mean"]["rank"] <= 2
    assert 0.5 < monitors["without_learning"]["mean"] < 1.5

    manifest = read_manifest(study, "waves")
    test = manifest[manifest["split"] == "test"]
    samples = list(Samples.of(study, "waves", test))
    predicted = UnimodalModel.load(model).predict(samples)
    assert metrics["test"]["samples"] == 12
    assert metrics["test"]["ships"] == pytest.approx(100 * np.mean(predicted == test["label"]))

    shares = UnimodalModel.load(model).predict_proba(samples)
    damaged = tmp_path / "damaged"
    shutil.copytree(model, damaged)
    tensors = load_file(damaged / "model.safetensors")
    save_file(
        {name: one for name, one in tensors.items() if name != "reader.entrance.mean"}, damaged / "model.safetensors"
    )
    seal(damaged)
    with pytest.raises(UserError, match="damaged"):
        UnimodalModel.load(damaged)
    shutil.move(model, tmp_path / "model")
    shutil.rmtree(study.folder)  # nothing of the study is needed
    assert np.array_equal(UnimodalModel.load(tmp_path / "model").predict_proba(samples), shares)
    names = set(load_file(tmp_path / "model" / "model.safetensors"))
    assert {"weight", "bias"} < names
    assert not any("decoder" in name or "silo" in name for name in names)
    assert "sequences" in (tmp_path / "model" / "README.md").read_text()


def test_training_learns_more_than_copying_and_ships_no_control(waves):
    study = waves(trunk={"shots": [12]}, steps=150, learning_rate=1e-2, look_every=50)
    call(study, Step("trunk"))
    metrics = metrics_of(study)
    losses, idle = metrics["monitors"]["arms"], metrics["monitors"]["without_learning"]
    assert losses["unimodal"]["loss"] < 0.7 * min(idle.values())
    assert losses["unimodal"]["rank"] > 3
    assert metrics["ships"]["method"] not in JOINT[1:]


def test_the_target_alone_does_not_depend_on_the_silos(waves):
    """Bit for bit, whatever they hold and whether they are there at all."""
    study, other = waves(), waves()
    for name in ("echoes", "notes"):
        path = Workspace(other.folder).reading("relevance") / f"{name}.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"verdict": "harms", "used": False}))
    tables = []
    for one in (study, other):
        train(one)
        runs = pd.read_parquet(Workspace(one.folder).reading("trunk") / "runs.parquet")
        tables.append(runs[runs["method"].isin(ALONE)].reset_index(drop=True))
    assert list(dict.fromkeys(tables[1]["method"])) == ALONE
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    assert metrics_of(other)["ships"]["reason"] == "no auxiliary silo is in use"


def test_training_does_not_look_at_labels(waves):
    """Target samples without label are learnt from all the same; the probe alone does without them."""
    study, other = waves(), waves()
    path = Workspace(other.folder).reading("silo", "waves") / "manifest.parquet"
    manifest = pd.read_parquet(path)
    rows = manifest.index[manifest["split"] == "train"][::2]
    manifest.loc[rows, "label"] = None
    manifest.to_parquet(path)
    losses, labelled = [], []
    for one in (study, other):
        train(one)
        folder = Workspace(one.folder).reading("trunk")
        curves = pd.read_parquet(folder / "curves.parquet")
        losses.append(curves.loc[curves["shots"] == 2, ["method", "seed", "step", "loss", "target"]])
        labelled.append(json.loads((folder / "config.json").read_text())["samples"])
    pd.testing.assert_frame_equal(*losses, check_exact=True)
    assert labelled == [48, 48 - len(rows)]


def test_killed_and_gone_on_gives_the_bytes_of_never_killed(waves, monkeypatch):
    step, taken, last = loop._step, 0, 10**9

    def counted(*args):
        nonlocal taken
        if taken == last:
            raise Killed
        taken += 1
        return step(*args)

    monkeypatch.setattr(loop, "_step", counted)
    whole = train(waves(save_every=2))
    steps, taken, last = taken, 0, 9
    study = waves(save_every=2)
    with pytest.raises(Killed):
        train(study)
    taken, last = 0, 10**9
    assert train(study) == whole
    assert taken == steps - 8  # the stack of six without silos, and two steps of that with them


def test_sentences_as_target_and_pictures_beside_them(tiny_study):
    """Tokens and raw patches; then the other way round. The shipped model reads what its target is."""
    path = tiny_study.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    del params["silos"]["scrambled"]
    network = FAST["network"] | {"longest": 50}
    params["trunk"] = {"mode": "ssl", "shots": [1], "seeds": 6, "ssl": FAST | {"steps": 3, "network": network}}
    path.write_text(yaml.safe_dump(params))
    for name in params["silos"]:
        call(tiny_study, Step("silo", name))
        call(tiny_study, Step("features", name))
    for target, sample in (("descriptions", "a drawing of a red circle"), ("drawings", None)):
        path.write_text(yaml.safe_dump(params | {"target": target}))
        study = Study(tiny_study.folder)
        for stage in ("relevance", "trunk", "model", "report"):
            call(study, Step(stage))
        manifest = read_manifest(study, target)
        sample = sample or study.folder / manifest["path"][0]
        [shares] = UnimodalModel.load(Workspace(study.folder).reading("model")).predict_proba([sample])
        assert len(shares) == 6
        assert shares.sum() == pytest.approx(1)
        assert set(metrics_of(study)["arms"]) == {*ALONE, *JOINT}
        assert bool(metrics_of(study)["monitors"]["without_learning"]) == (target == "drawings")


def test_what_has_one_step_is_reconstructed(waves):
    """A target of vectors: there is nothing to predict, and still everything runs."""
    study = waves(trunk={"seeds": 2})
    path = study.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    means = np.load(study.folder / "data" / "waves.npz")
    np.savez(study.folder / "data" / "means.npz", x=means["x"].mean(1), label=means["label"], split=means["split"])
    params["silos"]["waves"] = {"modality": "vector", "path": "data/means.npz"}
    path.write_text(yaml.safe_dump(params))
    study = Study(study.folder)
    for stage in ("silo", "features"):
        call(study, Step(stage, "waves"))
    for stage in ("relevance", "trunk", "model"):
        call(study, Step(stage))
    shares = UnimodalModel.load(Workspace(study.folder).reading("model")).predict_proba(list(means["x"].mean(1)[:3]))
    assert np.allclose(shares.sum(1), 1, atol=1e-5)
    curves = pd.read_parquet(Workspace(study.folder).reading("trunk") / "curves.parquet")
    assert curves["loss"].notna().all()


def test_forced_silos_are_controls(waves):
    study = waves(trunk={"forced": ["notes"]}, keep="best", first="auxiliary", first_steps=2, ratios={"echoes": 0.5})
    train(study)
    metrics = metrics_of(study)
    assert list(metrics["arms"]) == [*ALONE, *JOINT, "uml_notes"]
    assert metrics["arms"]["uml_notes"]["kind"] == "control"
    curves = pd.read_parquet(Workspace(study.folder).reading("trunk") / "curves.parquet")
    assert "cosine target|silo notes" in curves
    assert curves.loc[curves["method"] == "uml", "cosine target|silo notes"].isna().all()


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"alphas": []}, "alphas"),
        ({"first_steps": 6}, "none is left after 6"),
        ({"network": {"width": 10, "heads": 4}}, "4 heads do not divide a width of 10"),
        ({"network": {"wide": 10}}, "did you mean 'width'?"),
        ({"stepz": 2}, "did you mean 'steps'"),
    ],
)
def test_what_makes_no_sense_is_refused(waves, keys, told):
    with pytest.raises(UserError, match=told):
        waves(**keys)


def test_weights_of_an_unknown_silo_are_refused(waves):
    with pytest.raises(UserError, match="'noets' is no auxiliary silo"):
        train(waves(weights={"noets": 2.0}))
