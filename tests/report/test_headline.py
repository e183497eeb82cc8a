from collections.abc import Callable

import pytest

from tests.report.test_words import with_trunk
from uml_pipeline.report import evidence
from uml_pipeline.report.headline import headline
from uml_pipeline.study import Study

Make = Callable[..., Study]


def test_helps(make: Make) -> None:
    found = evidence.read(make())
    said, better = headline(found), found.trunk.judged[0].better
    assert (said.tone, said.answer) == ("better", "UML helps.")
    assert said.numbers == (
        f"+2.7 points with 1 labelled sample a class, 95% interval +1.9 to +3.5; {better} of 24 splits better; "
        "ships: “UML, text prior”."
    )
    assert "“UML, text prior” recognises 53.3% of the held-out drawings with 1 labelled sample a class" in said.detail
    assert "“Unimodal probe”, the strongest arm that learns from drawings alone, 50.6%" in said.detail
    assert said.why.startswith("Why it ships: it is ahead")


def test_does_not_help(make: Make) -> None:
    said = headline(evidence.read(make(lift=-2.7, noise=9)))
    assert said.tone == "same"
    assert said.answer == "UML does not help here: no difference beyond noise."
    assert "ships: “Unimodal probe”" in said.numbers
    assert said.detail.startswith(
        "The best UML arm (“UML, text prior”; chosen by these same results, which flatters it)"
    )
    assert said.why.startswith("Why it ships: no UML arm")


def test_hurts(make: Make) -> None:
    assert headline(evidence.read(make(lift=-9))).answer == "UML hurts here."


def test_helps_at_some_shots_only(make: Make) -> None:
    found = evidence.read(make())
    gains = [gain.model_copy(update={"low": -1.0}) if gain.shots > 1 else gain for gain in found.trunk.gains]
    said = headline(with_trunk(found, gains=gains))
    assert (said.tone, said.answer) == ("better", "UML helps at 1 shot and makes no clear difference at 2 and 4 shots.")


def test_nothing_to_compare(make: Make) -> None:
    said = headline(with_trunk(evidence.read(make()), gains=[]))
    assert said.answer == "There is nothing to compare."
    assert said.numbers == "Ships: “UML, text prior”."
    assert "(scrambled: harms, p = 0.6)" in said.detail


@pytest.mark.parametrize("better", [None, 0])
def test_splits_stand_in_the_verdict_where_they_were_kept(make: Make, better: int | None) -> None:
    found = evidence.read(make())
    gains = [
        gain.model_copy(update={"better": better, "splits": None if better is None else 24})
        for gain in found.trunk.gains
    ]
    assert ("splits better" in headline(with_trunk(found, gains=gains)).numbers) == (better is not None)
