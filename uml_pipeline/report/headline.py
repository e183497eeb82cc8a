"""The verdict of the whole report: does it help, by how much, how sure, and what ships."""

from dataclasses import dataclass
from typing import Literal

from uml_pipeline.report import words
from uml_pipeline.report.evidence import Evidence
from uml_pipeline.report.results import Gain, Trunk

Tone = Literal["better", "same", "worse"]


@dataclass(frozen=True)
class Headline:
    """The answer for someone in a hurry."""

    tone: Tone
    answer: str
    """Does it help?"""
    numbers: str
    """By how much, how sure, in how many splits, and what ships."""
    detail: str
    """Against what."""
    why: str
    """Why that ships."""


def headline(evidence: Evidence) -> Headline:
    """Also, and first, where it does not help; the page and the terminal say the same sentences."""
    trunk = evidence.trunk
    ships, why = (
        f"ships: {words.quoted(trunk, trunk.ships.method)}.",
        words.sentence(f"why it ships: {trunk.ships.reason}"),
    )
    if not trunk.judged:
        return Headline("same", "There is nothing to compare.", words.sentence(ships), _unused(evidence), why)
    numbers = "; ".join([*_numbers(trunk.judged[0]), ships])
    return Headline(_tone(trunk.judged), _answer(trunk.judged), numbers, _detail(evidence), why)


def _unused(evidence: Evidence) -> str:
    why = words.listed(
        [f"{one.silo}: {one.verdict}, {words.p_value(one)}" for one in evidence.verdicts if not one.used]
    )
    return f"No auxiliary silo was used{f' ({why})' * bool(why)}: the model learns from {evidence.target} alone."


def _tone(gains: list[Gain]) -> Tone:
    signs = {gain.sign for gain in gains}
    if 1 in signs and -1 not in signs:
        return "better"
    return "worse" if -1 in signs else "same"


def _answer(gains: list[Gain]) -> str:
    by_sign = {sign: [str(gain.shots) for gain in gains if gain.sign == sign] for sign in (1, 0, -1)}
    said = {1: "helps", 0: "makes no clear difference", -1: "hurts"}
    parts = [f"{said[sign]} at {_at(numbers)}" for sign, numbers in by_sign.items() if numbers]
    if len(parts) > 1:
        return f"UML {words.listed(parts)}."
    if gains[0].sign == 0:
        return "UML does not help here: no difference beyond noise."
    return "UML helps." if gains[0].sign > 0 else "UML hurts here."


def _at(numbers: list[str]) -> str:
    return f"{words.listed(numbers)} {'shot' if numbers == ['1'] else 'shots'}"


def _numbers(gain: Gain) -> list[str]:
    """At the first number of shots, since that is where labels are scarcest."""
    how = f"{words.points(gain.mean)} points with {words.samples(gain.shots)}, 95% interval {words.interval(gain)}"
    return [part for part in (how, words.splits(gain)) if part]


def _detail(evidence: Evidence) -> str:
    """Who reaches what, against whom; then the gains at more shots."""
    trunk, first = evidence.trunk, evidence.trunk.judged[0]
    who = words.quoted(trunk, first.method)
    who = (
        who
        if trunk.ships.method == first.method
        else f"The best UML arm ({who}; chosen by these same results, which flatters it)"
    )
    text = (
        f"{who} recognises {_reached(trunk, first.method, first.shots)} of the held-out {evidence.target} with "
        f"{words.samples(first.shots)}; {words.quoted(trunk, first.against)}, the strongest arm that "
        f"{words.peers(trunk, evidence.target)}, {_reached(trunk, first.against, first.shots)}."
    )
    rest = [
        f"{words.points(gain.mean)} ({words.interval(gain)}) at {words.shots(gain.shots)}" for gain in trunk.judged[1:]
    ]
    return f"{text} Further: {words.listed(rest)}." if rest else text


def _reached(trunk: Trunk, method: str, shots: int) -> str:
    run = trunk.run(method, shots)
    return f"{run.mean:.1f}%" if run else "an unrecorded accuracy"
