import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from uml_pipeline.errors import UserError
from uml_pipeline.report import stage, tracked
from uml_pipeline.report.evidence import read
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace

Make = Callable[..., Study]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_metrics_have_exactly_the_agreed_keys(make: Make) -> None:
    study = make()
    stage.run(study)
    metrics = json.loads((Workspace(study.folder).reading("report") / "metrics.json").read_text())
    assert list(metrics) == ["runs", "gains", "verdicts", "ships"]
    assert {tuple(run) for run in metrics["runs"]} == {("method", "shots", "seeds", "mean", "std")}
    assert {tuple(gain) for gain in metrics["gains"]} == {
        ("method", "against", "shots", "mean", "low", "high", "better", "splits")
    }
    assert metrics["verdicts"] == [
        {"silo": "descriptions", "verdict": "helps", "p_value": 0.001},
        {"silo": "scrambled", "verdict": "harms", "p_value": 0.6},
    ]
    assert metrics["ships"] == "uml_prior"


def test_writes_page_and_figures(make: Make) -> None:
    study = make()
    stage.run(study)
    figures = {"learning_curve", "gains", "relevance_descriptions", "relevance_scrambled"}
    figures |= {"expected_descriptions", "expected_scrambled"}
    figures.add("by_alpha")
    expected = {"fingerprint.json", "index.html", "metrics.json", "understanding.json"} | {
        f"figures/{name}.svg" for name in figures
    }
    expected |= {tracked.METRICS, tracked.ACCURACY, tracked.GAINS}
    assert set(contents(Workspace(study.folder).reading("report"))) == expected


def test_what_dvc_compares_is_of_the_arm_that_the_page_speaks_of(make: Make) -> None:
    study = make()
    stage.run(study)
    folder = Workspace(study.folder).reading("report")
    numbers = json.loads((folder / tracked.METRICS).read_text())
    curves, gains = pd.read_csv(folder / tracked.ACCURACY), pd.read_csv(folder / tracked.GAINS)
    trunk = read(study).trunk
    assert numbers["ships"] == trunk.label("uml_prior")
    assert list(numbers["shots"]) == [str(shots) for shots in curves["shots"]] == [str(one) for one in trunk.shots]
    for row in curves.itertuples():
        said = numbers["shots"][str(row.shots)]
        assert (said["uml"], said["gain"]) == (pytest.approx(row.uml), pytest.approx(said["uml"] - said["peer"]))
    assert numbers["silos"]["scrambled"] == {"verdict": "harms", "p": 0.6, "used": 0}
    assert len(gains) == len(trunk.of("uml")) * len(trunk.shots)


def test_same_inputs_give_the_same_bytes(make: Make) -> None:
    study = make()
    stage.run(study)
    first = contents(Workspace(study.folder).reading("report"))
    stage.run(study)
    assert contents(Workspace(study.folder).reading("report")) == first


def test_a_missing_stage_is_named(make: Make) -> None:
    study = make()
    (study.folder / "artifacts/relevance/fingerprint.json").unlink()
    with pytest.raises(UserError, match="uml relevance"):
        stage.run(study)
    assert not (study.folder / "artifacts/report").exists()
