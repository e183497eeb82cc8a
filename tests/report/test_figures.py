from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from tests.report.understood import understood
from uml_pipeline.report import evidence, figures, forests
from uml_pipeline.report.evidence import Evidence
from uml_pipeline.report.results import Trunk
from uml_pipeline.report.verdicts import Verdict
from uml_pipeline.study import Study

Make = Callable[..., Study]
SILENT = {"exchange": {}, "curves": {}, "robustness": {}, "classes": {"cannot_say": "no"}, "moved": {}}


@pytest.fixture
def found(make: Make) -> Evidence:
    return evidence.read(make())


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("}text")]


def test_curves_are_labelled_directly(found: Evidence) -> None:
    shown = texts(figures.learning_curve(found.trunk))
    assert {"UML, text prior", "Unimodal probe", "1", "2", "4"} <= set(shown)
    assert "not drawn: Zero-shot from text, 19.7%" in shown


def test_few_arms_stand_out_the_others_are_grey(found: Evidence) -> None:
    assert found.trunk.foremost == ["unimodal", "uml", "uml_prior"]
    shown = texts(figures.learning_curve(found.trunk))
    assert "grey: 4 other arms, see the table" in shown
    assert "Logistic regression" not in shown


def test_names_have_as_much_room_at_any_number_of_shots(found: Evidence) -> None:
    def place(shots: int) -> str | None:
        runs = [run for run in found.trunk.runs if run.shots <= shots]
        svg = figures.learning_curve(found.trunk.model_copy(update={"runs": runs}))
        nodes = ElementTree.fromstring(svg).iter()
        return next(node.get("x") for node in nodes if node.text == "Unimodal probe")

    assert place(1) == place(2) == place(4) is not None


def test_gains_name_the_rival_and_the_interval(found: Evidence) -> None:
    shown = texts(forests.gains(found.trunk))
    assert "1 shot, against Unimodal probe" in shown
    assert "+2.7  (+1.9 to +3.5)" in shown


def test_labels_are_text_not_markup_nor_mathematics(found: Evidence) -> None:
    arms = found.trunk.arms | {"uml": found.trunk.arms["uml"].model_copy(update={"label": "<b>$x^2$</b> & so"})}
    trunk = found.trunk.model_copy(update={"arms": arms})
    assert "<b>$x^2$</b> & so" in texts(figures.learning_curve(trunk))


def test_no_test_no_figure(found: Evidence) -> None:
    untested = Verdict(
        silo="few",
        verdict="cannot tell",
        p_value=None,
        alone=None,
        beside=None,
        geometry=None,
        shared_classes=2,
        used=True,
        reasons=[],
    )
    drawn = figures.draw(Evidence(found.target, found.silos, [untested], found.trunk), SILENT)
    assert set(drawn) == {"learning_curve", "gains"}


def test_a_constant_null_is_drawn(found: Evidence) -> None:
    flat = found.verdicts[0].geometry.model_copy(update={"null": [0.0] * 99, "statistic": 0.0})
    constant = found.verdicts[0].model_copy(update={"geometry": flat})
    assert "observed 0, p = 0.001" in texts(figures.relevance(constant))


def test_a_study_without_auxiliary_silos_has_its_curve(found: Evidence) -> None:
    alone = {name: arm for name, arm in found.trunk.arms.items() if arm.kind == "image-only"}
    runs = [run for run in found.trunk.runs if run.method in alone and run.shots == 1]
    trunk = Trunk.model_validate(found.trunk.model_dump() | {"runs": runs, "gains": [], "arms": alone})
    drawn = figures.draw(Evidence(found.target, found.silos[:1], [], trunk), SILENT)
    assert set(drawn) == {"learning_curve"}


def test_expected_gains_are_drawn_on_one_scale(found: Evidence) -> None:
    drawn = forests.expected(found.verdicts)
    assert set(drawn) == {"expected_descriptions", "expected_scrambled"}
    helps, harms = (texts(svg) for svg in drawn.values())
    assert "+1.5  (+0.6 to +2.4)" in helps
    assert [one for one in helps if one.isdigit()] == [one for one in harms if one.isdigit()]


def test_classes_and_confusions_are_named(found: Evidence) -> None:
    drawn = figures.draw(found, understood())
    assert {"helped most", "alembic", "hurt most", "crab"} <= set(texts(drawn["classes"]))
    assert "alembic → crab" in texts(drawn["confusions"])
