"""The gate is used for judging, and for nothing else."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from PIL import Image

from tests.conftest import CLASSES
from tests.registry.conftest import train
from uml_pipeline.errors import UserError
from uml_pipeline.features import read_features
from uml_pipeline.pipeline import Step, call
from uml_pipeline.silo import read_manifest, read_quality
from uml_pipeline.silo.manifest import read_gate
from uml_pipeline.study import Study


def _learnt(study: Study) -> dict[str, bytes]:
    """Every artifact but the silos' own and the lineage, which names them."""
    call(study, Step("report"))
    root = study.folder / "artifacts"
    told = {"lineage.json", "fingerprint.json", "README.md", "index.html"}
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and path.name not in told)
    return {str(path): path.read_bytes() for path in files if path.relative_to(root).parts[0] != "silo"}


def test_what_the_gate_holds_changes_nothing_that_is_learnt_or_told(study: Study) -> None:
    before, gate = _learnt(study), read_gate(study)
    names = {Path(path).parts[-2] for path in before}
    assert {"drawings", "relevance", "trunk", "model", "report"} <= names
    for number, path in enumerate(gate["path"]):
        Image.new("RGB", (64, 64), (number, 0, 0)).save(study.folder / path)
    assert _learnt(train(study)) == before
    assert set(read_gate(study)["path"]) == set(gate["path"])
    assert not set(read_gate(study)["sample_id"]) & set(gate["sample_id"])


def test_no_stage_sees_the_gate(study: Study) -> None:
    gate = set(read_gate(study)["sample_id"])
    assert gate
    for rows in (read_manifest(study, "drawings"), read_features(study, "drawings")[0]):
        assert gate.isdisjoint(rows["sample_id"])
        assert "gate" not in set(rows["split"])


def test_nor_its_copies_in_another_silo(study: Study) -> None:
    copied = study.folder / "data/photos"
    for name in CLASSES[:2]:
        shutil.copytree(study.folder / "data/drawings" / name, copied / name)
    path = study.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    params["silos"]["photos"] = {"modality": "image", "path": "data/photos", "encoder": "builtin/emoji"}
    path.write_text(yaml.safe_dump(params))
    more = Study(study.folder)
    for stage in ("silo", "features"):
        call(more, Step(stage, "photos"))
    gate = read_gate(more)["sample_id"]
    assert read_manifest(more, "photos")["sample_id"].isin(gate).any()
    assert not read_features(more, "photos")[0]["sample_id"].isin(gate).any()


def test_the_silo_counts_its_gate_and_finds_nothing_amiss(study: Study) -> None:
    quality = read_quality(study, "drawings")
    assert quality["splits"]["gate"] == len(read_gate(study))
    asked = {one["asks"]: one["passed"] for one in quality["expectations"]}
    assert asked["every side of the split has samples"]
    assert asked["no group on two sides of the split"]
    assert asked["every class has samples on every side of the split"]


def test_a_gate_that_no_group_falls_into_is_told(gateless: Study, change_silo: Callable[..., Study]) -> None:
    changed = change_silo(gateless, "drawings", gate=0.01)
    call(changed, Step("silo", "drawings"))
    asked = {one["asks"]: one["passed"] for one in read_quality(changed, "drawings")["expectations"]}
    assert not asked["every side of the split has samples"]
    assert read_gate(changed).empty


def test_a_folder_called_gate_is_one(gateless: Study, change_silo: Callable[..., Study]) -> None:
    drawings = gateless.folder / "data/drawings"
    for place in ("train", "gate"):
        for name in CLASSES:
            (gateless.folder / "data/sides" / place / name).mkdir(parents=True)
    for name in CLASSES:
        for number, picture in enumerate(sorted((drawings / name).iterdir())):
            shutil.copyfile(
                picture, gateless.folder / "data/sides" / ("train", "gate")[number == 0] / name / picture.name
            )
    changed = change_silo(gateless, "drawings", path="data/sides", group=None)
    call(changed, Step("silo", "drawings"))
    assert sorted(read_gate(changed)["path"]) == sorted(f"data/sides/gate/{name}/ada.png" for name in CLASSES)


def test_only_the_target_has_a_gate(gateless: Study, change_silo: Callable[..., Study]) -> None:
    with pytest.raises(UserError, match="only the target has a gate"):
        change_silo(gateless, "descriptions", gate=0.1)
