from collections.abc import Callable
from typing import Any

import pytest

from uml_pipeline.report import evidence, words
from uml_pipeline.report.evidence import Evidence
from uml_pipeline.report.results import Gain, Trunk
from uml_pipeline.report.verdicts import Odd
from uml_pipeline.study import Study

Make = Callable[..., Study]


def with_trunk(found: Evidence, **changes: Any) -> Evidence:
    trunk = Trunk.model_validate(found.trunk.model_dump() | changes)
    return Evidence(found.target, found.silos, found.verdicts, trunk)


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.71, "+2.7"), (-0.4, "−0.4"), (0.04, "+0.04"), (-0.012, "−0.01"), (0.0, "0.0"), (-1e-9, "0.0")],
)
def test_points(value: float, text: str) -> None:
    assert words.points(value) == text


@pytest.mark.parametrize(("low", "high", "sign"), [(0.1, 2, 1), (-1, 1, 0), (-2, -0.1, -1), (0.001, 2, 0), (-2, 0, 0)])
def test_an_interval_that_touches_zero_says_nothing(low: float, high: float, sign: int) -> None:
    assert Gain(method="a", against="b", shots=1, mean=0, low=low, high=high).sign == sign


def test_gains_are_judged_against_the_strongest_rival(make: Make) -> None:
    trunk = evidence.read(make()).trunk
    assert {(gain.shots, gain.against) for gain in trunk.strict} == {(1, "unimodal"), (2, "unimodal"), (4, "unimodal")}
    assert len(trunk.strict) == 12


def test_gains_over_other_rivals_do_not_count(make: Make) -> None:
    found = evidence.read(make())
    worse = Gain(method="uml_prior", against="uml_scrambled", shots=1, mean=-9, low=-10, high=-8)
    assert with_trunk(found, gains=[*found.trunk.gains, worse]).trunk.strict == found.trunk.strict


def test_peers_may_have_a_bridge(make: Make) -> None:
    trunk = evidence.read(make()).trunk
    assert words.peers(trunk, "drawings") == "learns from drawings alone"
    told = trunk.model_dump()
    told["arms"]["bridge_mean"] = {"label": "with it", "kind": "bridge", "about": ""}
    assert words.peers(Trunk.model_validate(told), "drawings") == "learns from drawings alone or with a bridge"


def test_splits_are_told_where_they_were_kept() -> None:
    gain = Gain(method="a", against="b", shots=1, mean=0, low=0, high=0)
    assert words.splits(gain) == ""
    assert words.splits(gain.model_copy(update={"better": 18, "splits": 24})) == "18 of 24 splits better"


@pytest.mark.parametrize(
    ("reason", "looks", "told"),
    [
        ("other name", "dog", "names another class and not its own: dog"),
        ("other looks", "dog", "looks like another class: dog"),
        ("a new reason", None, "a new reason"),
    ],
)
def test_suspicion_in_words(reason: str, looks: str | None, told: str) -> None:
    odd = Odd.model_validate({"sample_id": "1", "class": "cat", "text": None, "reason": reason, "looks": looks})
    assert words.suspicion(odd) == told


def test_an_arm_without_shots_stands_in_every_column(make: Make) -> None:
    trunk = evidence.read(make()).trunk
    assert trunk.shots == [1, 2, 4]
    assert [run.mean for number in trunk.shots if (run := trunk.run("zero_shot", number))] == [19.7] * 3


def test_a_sentence_has_minus_signs_and_keeps_hyphens() -> None:
    assert words.sentence("cross-validation: -1.2 points (-3 to 2-4)") == "Cross-validation: −1.2 points (−3 to 2-4)."


@pytest.mark.parametrize(
    ("modality", "typed"), [("image", "FILE"), ("text", '"a text"'), ("table", "ROWS.csv"), ("series", None)]
)
def test_a_sample_as_it_is_typed(modality: str, typed: str | None) -> None:
    assert words.typed(modality) == typed


def test_plain_text_moves_no_cursor() -> None:
    assert words.plain("a\x1b[2Jb\n") == "a�[2Jb�"
