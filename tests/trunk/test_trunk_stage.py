import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.numpy import load_file

from tests.conftest import before_trunk
from uml_pipeline.errors import UserError
from uml_pipeline.features import read_features, store
from uml_pipeline.learn.splits import held_out
from uml_pipeline.pipeline import Step, call
from uml_pipeline.study import Study
from uml_pipeline.trunk.compare import draw, gather
from uml_pipeline.workspace import Workspace, write_json

EPISODE, JUDGED = ["method", "shots", "seed"], ["look", "loss", "chosen", "val", "test"]
SETTING = [
    "scale", "learning_rate", "weight_decay", "batch", "learn_scales", "alpha", "auxiliary_shots", "ratio",
    "prior", "noise", "strength",
]  # fmt: skip
TARGET_ONLY = {"class_mean", "logreg", "unimodal", "unimodal_mean"}
WITH_SILOS = {"zero_shot", "uml", "uml_init", "uml_init_alone", "uml_start", "uml_convex", "uml_closed", "uml_refined"}
WITH_SILOS |= {"uml_ridge", "uml_closed_ridge"}


@pytest.fixture
def study(tiny_study):
    """The tiny study up to the trunk's door."""
    return before_trunk(tiny_study)


def train(study):
    call(study, Step("trunk"))
    folder = Workspace(study.folder).reading("trunk")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def change(study, **rooms):
    path = study.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    for room, values in rooms.items():
        params[room] = params.get(room, {}) | values
    path.write_text(yaml.safe_dump(params, sort_keys=False))
    return Study(study.folder)


def change_verdict(study, silo, **changes):
    folder = Workspace(study.folder).reading("relevance")
    verdicts = {name: json.loads((folder / f"{name}.json").read_text()) for name in study.auxiliary}
    with Workspace(study.folder).writing("relevance") as draft:
        for name, verdict in verdicts.items():
            write_json(draft / f"{name}.json", verdict | (changes if name == silo else {}))


def test_the_artifact_holds_runs_metrics_and_recipes(study):
    files = train(study)
    assert set(files) == {
        "runs.parquet", "classes.parquet", "exchange.parquet", "metrics.json", "config.json", "ships.safetensors",
        "baseline.safetensors", "rival.safetensors", "fingerprint.json"
    }  # fmt: skip
    folder = Workspace(study.folder).folder("trunk")
    runs = pd.read_parquet(folder / "runs.parquet")
    methods = TARGET_ONLY | WITH_SILOS | {"uml_scrambled"}
    assert list(runs) == [*EPISODE, *SETTING, *JUDGED]
    assert (runs.groupby(EPISODE)["chosen"].sum() == 1).all()
    best = runs.loc[runs.groupby(EPISODE)["loss"].idxmin()]
    assert best["chosen"].all()
    assert runs[~runs["chosen"]][["val", "test"]].isna().all(axis=None)
    hits = pd.read_parquet(folder / "classes.parquet")
    summed = hits.groupby(EPISODE, observed=True)[["correct", "samples"]].sum()
    assert np.allclose(100 * summed["correct"] / summed["samples"], best.set_index(EPISODE)["test"].loc[summed.index])
    assert set(pd.read_parquet(folder / "exchange.parquet")["silo"]) == {"descriptions"}
    runs = best
    assert set(runs["method"]) == methods
    assert (runs.groupby(["method", "shots"])["seed"].apply(sorted).map(tuple) == (0, 1, 2, 3)).all()
    assert runs[["val", "test"]].apply(lambda share: share.between(0, 100)).all(axis=None)

    metrics, config = json.loads(files["metrics.json"]), json.loads(files["config.json"])
    assert set(metrics) == {"runs", "gains", "arms", "ships", "test"}
    assert [set(row) for row in metrics["runs"]] == [{"method", "shots", "seeds", "mean", "std"}] * 2 * len(methods)
    assert {row["method"] for row in metrics["gains"]} == {
        "uml", "uml_init", "uml_init_alone", "uml_start", "uml_convex", "uml_closed", "uml_refined", "uml_scrambled",
        "uml_ridge", "uml_closed_ridge",
    }  # fmt: skip
    assert {row["against"] for row in metrics["gains"]} <= TARGET_ONLY
    assert set(metrics["arms"]) == methods
    assert metrics["arms"]["uml_scrambled"]["kind"] == "control"
    assert set(metrics["ships"]) == {"method", "against", "reason", "val"}
    assert set(metrics["test"]) == {"ships", "baseline", "samples"}
    assert metrics["test"]["samples"] == 6

    assert set(config) == {"ships", "baseline", "rival", "classes", "samples"}
    assert config["classes"] == sorted(read_features(study, "drawings")[0]["label"].unique())
    assert config["samples"] == 30
    assert set(config["ships"]["setting"]) == set(SETTING)
    for name in ("ships", "baseline", "rival"):
        weights = load_file(folder / f"{name}.safetensors")
        assert {key: value.shape for key, value in weights.items()} == {"centre": (384,), "head": (6, 384)}
        assert config[name]["method"] not in ("uml_scrambled", "zero_shot")


def test_two_runs_give_equal_bytes(study):
    few = change(study, trunk={"shots": [1]})
    assert train(few) == train(few)


def test_the_test_split_changes_nothing_that_ships(study):
    study = change(study, trunk={"shots": [2]})
    before = train(study)
    manifest, x = read_features(study, "drawings")
    rows = held_out(manifest)
    x[rows] = np.random.default_rng(0).normal(size=(len(rows), x.shape[1]))
    with Workspace(study.folder).writing("features", "drawings") as folder:
        store.write(folder, manifest["sample_id"].tolist(), x[:, None], store.read_config(study, "drawings"))
    after = train(study)
    for name in ("ships.safetensors", "baseline.safetensors", "config.json"):
        assert before[name] == after[name]
    old, new = (json.loads(files["metrics.json"]) for files in (before, after))
    assert old["ships"] == new["ships"]
    assert old["test"]["ships"] > new["test"]["ships"]  # it was spoilt indeed


def test_a_silo_that_does_not_help_blocks_if_the_policy_says_so(study):
    change_verdict(study, "descriptions", verdict="harms", used=False)
    with pytest.raises(UserError, match="descriptions") as error:
        train(change(study, relevance={"policy": "block"}))
    assert "policy" in str(error.value)
    assert not Workspace(study.folder).folder("trunk").exists()


def test_a_silo_that_is_not_used_has_no_arm_and_a_forced_one_only_its_own(study):
    change_verdict(study, "descriptions", verdict="harms", used=False)
    lineup = gather(study).lineup
    assert {arm.name for arm in lineup} == {*TARGET_ONLY, "uml_scrambled"}
    free = gather(change(study, trunk={"forced": []}))
    assert {arm.silos for arm in free.lineup if arm.kind == "uml"} == {("scrambled",)}


def test_warned_of_silos_are_used(study):
    change_verdict(study, "descriptions", verdict="harms", used=True)
    made = gather(change(study, relevance={"policy": "warn"}))
    assert {arm.silos for arm in made.lineup if arm.kind == "uml"} == {("descriptions",)}


def test_too_few_seeds_are_refused_with_the_number_that_is_enough(study):
    """The held-out group is the fourth, so that two seeds never test on it."""
    with pytest.raises(UserError, match="2 seeds are too few") as error:
        train(change(study, trunk={"seeds": 2}))
    assert "at least 6" in str(error.value)


def test_enough_seeds_means_enough_at_the_most_shots(study):
    """With few classes and one shot an episode may keep off the held-out group by chance; that is not enough."""
    made = gather(study)
    keep = made.target.manifest["label"].isin(made.classes[:2])
    manifest = made.target.manifest[keep].reset_index(drop=True)
    few = replace(made.target, manifest=manifest, x=made.target.x[keep])
    with pytest.raises(UserError, match="too few"):
        draw(change(study, trunk={"seeds": 3, "shots": [1, 4]}), type(made)(few, [], made.classes[:2], []))


@pytest.mark.parametrize("missing", ["relevance", "features", "silo"])
def test_a_missing_artifact_is_named(study, missing):
    import shutil

    shutil.rmtree(study.folder / "artifacts" / missing)
    with pytest.raises(UserError, match=f"artifacts/{missing}"):
        train(study)
