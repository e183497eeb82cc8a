import json

import numpy as np
import pytest
import yaml

from uml_pipeline.errors import UserError
from uml_pipeline.features import read_features, store
from uml_pipeline.pipeline import Step, call
from uml_pipeline.relevance import read_verdicts
from uml_pipeline.silo.manifest import frame, sample_id, write_manifest
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace

CLASSES, D = 40, 6


@pytest.fixture
def study(tmp_path):
    """Twelve classes as numbers: pictures, texts in a space of their own, and the same texts under wrong classes."""
    silos = {
        name: {"modality": modality, "path": f"data/{name}", "encoder": f"builtin/{encoder}"}
        for name, modality, encoder in (
            ("pictures", "image", "emoji"),
            ("texts", "text", "minilm"),
            ("wrong", "text", "minilm"),
        )
    }
    params = {"target": "pictures", "silos": silos, "relevance": {"permutations": 199, "margin": 8}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    study = Study(tmp_path)
    draw = np.random.default_rng(0)
    means = draw.normal(size=(CLASSES, D))
    turn = np.linalg.qr(draw.normal(size=(D + 3, D + 3)))[0][:D]
    for name, order, space in (
        ("pictures", np.arange(CLASSES), np.eye(D)),
        ("texts", np.arange(CLASSES), turn),
        ("wrong", draw.permutation(CLASSES), turn),
    ):
        y = np.repeat(np.arange(CLASSES), 6)
        x = (means[y] + 0.4 * draw.normal(size=(len(y), D)) + 1) @ space
        keep(study, name, [f"c{order[one]}" for one in y], x.astype(np.float32))
    return study


def keep(study, name, labels, x):
    """Write a silo's manifest and features as their stages do; every third sample is a test sample."""
    modality = study.silo(name).modality
    content = "path" if modality == "image" else "text"
    rows = [
        {
            "sample_id": sample_id(f"{name} {row}".encode()),
            content: f"{row:04}",
            "label": label,
            "split": ("train", "val", "test")[row % 3],
            "words": 1,
            "width": 1,
            "height": 1,
        }
        for row, label in enumerate(labels)
    ]
    with Workspace(study.folder).writing("silo", name) as folder:
        write_manifest(frame(rows, modality), modality, folder)
    with Workspace(study.folder).writing("features", name) as folder:
        store.write(folder, [row["sample_id"] for row in rows], x[:, None], {"space": name})


def judged(study):
    call(study, Step("relevance"))
    folder = Workspace(study.folder).reading("relevance")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_related_silo_helps_and_the_wrong_one_does_not(study):
    files = judged(study)
    written = {f"{name}{end}" for name in ("texts", "wrong") for end in (".json", "-suspicious.parquet")}
    assert set(files) == {*written, "fingerprint.json"}
    verdicts = read_verdicts(study)
    assert list(verdicts) == ["texts", "wrong"]
    for name, verdict in verdicts.items():
        assert verdict == json.loads(files[f"{name}.json"]) | {"silo": name}
        assert len(verdict["geometry"]["null"]) == 199
        assert verdict["shared_classes"] == CLASSES
    assert (verdicts["texts"]["verdict"], verdicts["texts"]["used"]) == ("helps", True)
    assert verdicts["texts"]["geometry"]["p_value"] <= 0.01
    assert verdicts["wrong"]["verdict"] in ("neutral", "harms")
    assert not verdicts["wrong"]["used"]


def test_two_runs_give_equal_bytes(study):
    assert judged(study) == judged(study)


@pytest.mark.parametrize(("split", "looked_at"), [("test", False), ("train", True), ("val", True)])
def test_the_targets_test_split_is_not_looked_at(study, split, looked_at):
    before = judged(study)
    manifest, x = read_features(study, "pictures")
    rows = np.flatnonzero(manifest["split"] == split)
    x[rows] = np.random.default_rng(1).normal(size=(len(rows), D))
    keep(study, "pictures", manifest["label"].tolist(), x)
    assert (judged(study) != before) == looked_at


def test_six_classes_hardly_tell(tiny_study):
    for stage in ("silo", "features"):
        for name in tiny_study.params.silos:
            call(tiny_study, Step(stage, name))
    judged(tiny_study)
    verdicts = read_verdicts(tiny_study)
    assert list(verdicts) == ["descriptions", "scrambled"]
    for verdict in verdicts.values():
        assert (verdict["verdict"], verdict["used"], verdict["shared_classes"]) == ("cannot tell", True, 6)
        assert verdict["geometry"] is None


def test_verdicts_that_are_not_there_are_asked_for(study):
    with pytest.raises(UserError, match="relevance"):
        read_verdicts(study)
