"""One study of every kind, to train each once."""

import json
import math

import pandas as pd
import pytest
import yaml

from tests.conftest import before_trunk
from uml_pipeline.pipeline import Step, call
from uml_pipeline.report.understanding import drawings
from uml_pipeline.report.understanding.curves import curves
from uml_pipeline.report.understanding.reasons import CannotSay
from uml_pipeline.report.understanding.understand import understand
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace

PARTS = {"contest", "margins", "clusters", "alignment", "classes", "moved", "robustness", "exchange", "curves"}


def change(study: Study, **sections) -> Study:
    path = study.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(params | sections, sort_keys=False))
    return Study(study.folder)


def test_a_probe_study_says_all_that_it_can(modelled):
    found = understand(modelled)
    assert set(found) == PARTS
    assert found == understand(modelled)
    assert found["contest"]["samples"] == 6
    assert found["contest"]["ours"]["method"].startswith("uml")
    for part in ("ours", "baseline"):
        assert 0 <= found["margins"][part]["negative"] <= 100
    clusters = found["clusters"]
    assert clusters["input"]["effective_rank"]["difference"] is None
    assert clusters["input"]["effective_rank"]["ours"] == clusters["input"]["effective_rank"]["baseline"]
    assert "two test samples" in clusters["logits"]["silhouette"]["cannot_say"]
    assert "shares 6 classes" in found["alignment"]["descriptions"]["cannot_say"]
    assert [at["shots"] for at in found["classes"]] == [1, 2]
    assert all(at["classes"] == 6 for at in found["classes"])
    rows = found["robustness"]["rows"]
    assert len(rows) == 21
    assert found["robustness"]["samples"] == 6
    trunk = json.loads((Workspace(modelled.folder).reading("trunk") / "metrics.json").read_text())
    ships = "ours" if found["contest"]["ours"]["shipped"] else "baseline"
    assert found["robustness"]["clean"][ships] == pytest.approx(trunk["test"]["ships"])
    assert found["curves"]["alpha"]
    assert math.isfinite(found["curves"]["alpha"][0]["loss"])
    figures = drawings.draw(found, {})
    assert {"by_alpha", "robustness"} <= set(figures)


def test_the_report_writes_it_with_pictures_of_what_it_names(modelled):
    call(modelled, Step("report"))
    folder = Workspace(modelled.folder).reading("report")
    found = json.loads((folder / "understanding.json").read_text())
    assert found == json.loads(json.dumps(understand(modelled)))
    named = {one["sample_id"] for part in ("newly_right", "newly_wrong") for one in found["moved"][part]["examples"]}
    named |= {one["sample_id"] for part in found["moved"]["confusions"] for one in part["examples"]}
    assert {path.stem for path in folder.glob("examples/*.jpg")} == named
    page = (folder / "index.html").read_text()
    assert 'id="why"' in page
    assert "Does it hold on spoilt samples?" in page
    assert page.count('<img src="data:image/jpeg') >= len(found["moved"]["newly_right"]["examples"])


def test_nothing_is_spoilt_where_nobody_asks(modelled):
    found = understand(change(modelled, report={"robustness": 0}))
    assert found["robustness"] == {"cannot_say": "`report.robustness` is 0"}


@pytest.mark.parametrize(("mode", "reason"), [("ssl", "mode ssl learns"), ("finetune", "keeps no other model")])
def test_modes_that_keep_less_say_why(written, mode, reason):
    found = understand(change(written, trunk={"mode": mode}))
    assert reason in found["contest"]["cannot_say"]
    assert found["robustness"] == found["contest"]
    assert "takes mode probe" in found["exchange"]["cannot_say"]


def test_runs_of_chosen_settings_alone_draw_no_curve(written):
    with Workspace(written.folder).writing("trunk") as folder:
        pd.DataFrame({"method": ["uml"], "shots": [1], "seed": [0], "alpha": [1.0]}).to_parquet(folder / "runs.parquet")
    with pytest.raises(CannotSay, match="chosen ones alone"):
        curves(written)


def test_a_study_without_auxiliary_silos_says_why(tiny_study):
    silos = yaml.safe_load((tiny_study.folder / "params.yaml").read_text())["silos"]
    alone = change(tiny_study, silos={"drawings": silos["drawings"]}, trunk={"shots": [1], "seeds": 6})
    before_trunk(alone)
    for stage in ("trunk", "model", "report"):
        call(alone, Step(stage))
    found = json.loads((Workspace(alone.folder).reading("report") / "understanding.json").read_text())
    assert set(found) == PARTS
    assert all("cannot_say" in part for part in found.values())
    assert "no auxiliary silo" in found["contest"]["cannot_say"]
