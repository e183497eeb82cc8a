import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.numpy import load_file, save_file

from tests.conftest import CLASSES
from uml_pipeline.errors import UserError
from uml_pipeline.ledger import Ledger
from uml_pipeline.lineage import reproduce as room
from uml_pipeline.lineage.reproduce import Reproduction, reproduce
from uml_pipeline.pipeline import Step, render_yaml
from uml_pipeline.registry import promote
from uml_pipeline.registry.book import releases
from uml_pipeline.study import Study


def everything(study: Study) -> dict[str, bytes]:
    """All files but what reading silos again may add to the cache."""
    files = (path for path in study.folder.rglob("*") if path.is_file() and ".uml" not in path.parts)
    return {str(path): path.read_bytes() for path in files}


def test_a_release_made_again_is_byte_equal_and_the_study_is_left_alone(study: Study) -> None:
    promote(study)
    path = study.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    params["trunk"] |= {"seeds": 5, "shots": [1]}  # since then
    path.write_text(yaml.safe_dump(params))
    before, seen = everything(study), list[Step]()
    found = reproduce(Study(study.folder), releases(study)[1].folder, seen.append)
    assert found == Reproduction([], [])
    assert [step.stage for step in seen] == ["silo"] * 3 + ["features"] * 3 + ["relevance", "trunk", "model"]
    assert everything(study) == before
    assert list((study.folder / ".uml/reproduce").iterdir()) == []


def test_a_changed_silo_is_named_before_anything_runs(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "call", lambda *_: pytest.fail("nothing should run"))
    place = study.folder / "data/drawings" / CLASSES[0]
    shutil.copyfile(place / "ada.png", place / "bob.png")
    with pytest.raises(UserError, match="raw data of 'drawings'") as caught:
        reproduce(study, study.folder / "artifacts/model")
    assert f"changed: data/drawings/{CLASSES[0]}/bob.png" in caught.value.where
    assert list((study.folder / ".uml/reproduce").iterdir()) == []


def _tracked(study: Study) -> None:
    """The texts in DVC's cache, and the model's lineage with their hash."""
    from dvc.repo import Repo

    (study.folder / "dvc.yaml").write_text(render_yaml(code=False))
    Ledger(study.folder)
    texts = study.folder / "data/descriptions.csv"
    Repo(str(study.folder)).add(str(texts))
    path = study.folder / "artifacts/model/lineage.json"
    lineage = json.loads(path.read_text())
    digest = hashlib.md5(texts.read_bytes(), usedforsecurity=False).hexdigest()
    lineage["data"]["descriptions"] |= {"hash": digest, "of": "DVC md5"}
    path.write_text(json.dumps(lineage))


def test_what_changed_comes_back_from_the_cache(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    _tracked(study)
    texts = study.folder / "data/descriptions.csv"
    before = texts.read_text()
    texts.write_text(before.replace("drawing", "painting"))
    model, read = study.folder / "artifacts/model", list[str]()

    def remembering(again: Study, step: Step) -> None:
        if step == Step("silo", "descriptions"):
            read.append(again.data("descriptions").read_text())
        if step == Step("model"):
            shutil.copytree(model, again.folder / "artifacts/model")

    monkeypatch.setattr(room, "call", remembering)
    assert reproduce(study, model).differs == []
    assert read == [before]
    assert "painting" in texts.read_text()


def test_how_much_weights_differ_and_what_may_explain_it(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    model = study.folder / "artifacts/model"

    def other(again: Study, step: Step) -> None:
        if step == Step("model"):
            made = Path(shutil.copytree(model, again.folder / "artifacts/model"))
            weights = load_file(made / "model.safetensors")
            weights["weight"][0, 0] += 0.25
            save_file(weights, made / "model.safetensors")
            (made / "labels.json").write_text(json.dumps(["new", *CLASSES[1:]]))

    monkeypatch.setattr(room, "call", other)
    path = model / "lineage.json"
    lineage = json.loads(path.read_text())
    lineage["packages"]["torch"] = "1.0"
    path.write_text(json.dumps(lineage))
    found = reproduce(study, model)
    assert found.differs[0].startswith("model.safetensors, weight: differs by up to 0.25")
    assert found.differs[1] == "labels.json: 1 classes are gone, 1 are new"
    assert [one.what for one in found.because] == ["packages"]


def test_it_computes_with_as_many_threads_as_then(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    model, seen = study.folder / "artifacts/model", set[int]()
    before = torch.get_num_threads()
    path = model / "lineage.json"
    lineage = json.loads(path.read_text())
    assert lineage["threads"] == before
    lineage["threads"] = before + 1
    path.write_text(json.dumps(lineage))

    def watching(again: Study, step: Step) -> None:
        seen.add(torch.get_num_threads())
        if step == Step("model"):
            shutil.copytree(model, again.folder / "artifacts/model")

    monkeypatch.setattr(room, "call", watching)
    assert reproduce(study, model).differs == []
    assert seen == {before + 1}
    assert torch.get_num_threads() == before
