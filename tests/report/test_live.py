import json
from collections.abc import Callable

import pytest

from tests.report.understood import understood
from uml_pipeline.report import evidence, figures, live
from uml_pipeline.report.evidence import Evidence
from uml_pipeline.study import Study

Make = Callable[..., Study]
EVIL = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def found(make: Make) -> Evidence:
    return evidence.read(make())


def test_every_live_figure_has_a_still_twin(found: Evidence) -> None:
    told = understood()
    assert {"learning_curve", "exchange_descriptions", "confusions"} == set(live.draw(found, told))
    assert set(live.draw(found, told)) <= set(figures.draw(found, told))


def test_the_learning_curve_has_the_numbers_of_the_table(found: Evidence) -> None:
    traces = {one["meta"]: one for one in json.loads(live.draw(found, understood())["learning_curve"])["data"]}
    assert set(traces) == set(figures.drawn(found.trunk))
    assert traces["uml_prior"]["y"] == [53.3, 66.9, 72.0]
    said = traces["uml_prior"]["hovertext"][0].split("<br>")
    assert said[:2] == ["<b>UML, text prior</b>", "1 shot: 53.3% ± 4.3 over 24 splits"]
    assert said[2:4] == ["+2.7 (+1.9 to +3.5) against", "Unimodal probe"]
    assert said[4].endswith("of 24 splits better")


def test_the_surface_is_the_one_that_was_fitted(found: Evidence) -> None:
    told = understood()["exchange"]["descriptions"]
    surface, measured = json.loads(live.draw(found, understood())["exchange_descriptions"])["data"]
    corner = min(told["cells"], key=lambda cell: (cell["shots"], cell["auxiliary"]))
    assert surface["z"][0][0] == pytest.approx(corner["accuracy"], abs=told["surface"]["largest_error"] + 0.01)
    assert measured["text"] == [f"{cell['accuracy']:.1f}%" for cell in told["cells"]]


def test_confusions_count_what_moved(found: Evidence) -> None:
    traces = json.loads(live.draw(found, understood())["confusions"])["data"]
    without, with_ = traces[-2:]
    assert (without["x"], with_["x"]) == ([2, 1], [0, 3])
    assert "with auxiliary silos: 3 times" in with_["hovertext"][1]


def test_a_label_ends_no_script_and_is_no_markup_in_a_figure(found: Evidence) -> None:
    arms = found.trunk.arms | {"uml": found.trunk.arms["uml"].model_copy(update={"label": EVIL})}
    trunk = found.trunk.model_copy(update={"arms": arms})
    for spec in live.draw(Evidence(found.target, found.silos, found.verdicts, trunk), understood(EVIL)).values():
        assert "<" not in spec
        assert "<img" not in json.dumps(json.loads(spec))
