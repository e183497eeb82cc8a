"""What the numbers mean, in plain words. The page and the terminal say the same sentences."""

import re
from typing import Any

from uml_pipeline.report.evidence import Quality, Silo
from uml_pipeline.report.results import Gain, Kind, Trunk
from uml_pipeline.report.verdicts import Odd, Verdict

MINUS = "\N{MINUS SIGN}"


def plain(text: str) -> str:
    """The text without what would move a terminal's cursor or colours."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def points(value: float) -> str:
    """A difference with its sign, e.g. +2.7; with more digits where it would else look like zero."""
    digits = 1 if round(value, 1) else 2
    return f"{value:+.{digits}f}".replace("-", MINUS) if round(value, digits) else "0.0"


def rounded(value: float, digits: int = 1) -> str:
    """A number with so many digits behind the point."""
    return f"{value:.{digits}f}".replace("-", MINUS)


def signed(value: float, digits: int = 1) -> str:
    """The same with its sign."""
    return f"{value:+.{digits}f}".replace("-", MINUS)


def worth(target: str, silo: str, found: dict[str, Any]) -> str:
    """What one more target sample is worth in samples of a silo, and in words; what all of them are worth."""
    one, whole = found["one_target_sample"], found["all_auxiliary"]
    price = f"One more sample of {target} a class is worth {_bounded(one['auxiliary'])} samples of {silo}"
    if one["words"] and one["words"]["value"] is not None:
        price += f", or {_bounded(one['words'])} words"
    if one["extrapolates"] and one["auxiliary"]["value"] is not None:
        price += "; that, or its interval, is more than there are to learn from, so read it as extrapolated"
    doubt = "" if found["beyond_noise"] else " It is not clear that they are worth anything."
    return (
        f"{price}. All {rounded(whole['auxiliary'])} samples of {silo} a class are worth {_bounded(whole['target'])} "
        f"samples of {target}.{doubt}"
    )


def _bounded(number: dict[str, float | None]) -> str:
    """An estimate with its interval; what has no bound is more than any number."""
    value, low, high = (None if number[key] is None else f"{number[key]:.3g}" for key in ("value", "low", "high"))
    if value is None:
        return f"more than any number of{f' (at least {low})' if low else ''}"
    return f"{value} ({low} to {high or 'no bound'})"


def interval(gain: Gain) -> str:
    """The 95% interval, e.g. +1.9 to +3.5."""
    return f"{points(gain.low)} to {points(gain.high)}"


def splits(gain: Gain) -> str:
    """On how many splits it is better, e.g. 18 of 24 splits better; empty where single splits were not kept."""
    return f"{gain.better} of {gain.splits} splits better" if gain.splits else ""


def meaning(gain: Gain) -> str:
    """What the interval says."""
    return {1: "better", 0: "no clear difference", -1: "worse"}[gain.sign]


def p_value(verdict: Verdict) -> str:
    """E.g. p = 0.001, or a dash where no test could be made."""
    return "no test" if verdict.p_value is None else f"p = {verdict.p_value:.3g}"


def expected(verdict: Verdict) -> str:
    """E.g. expected +1.5 (+0.6 to +2.5)."""
    gain = verdict.expected
    return f"expected {points(gain.mean)} ({points(gain.low)} to {points(gain.high)})" if gain else "not tried"


def samples(shots: int) -> str:
    """E.g. 2 labelled samples a class."""
    return f"{shots} labelled sample{'' if shots == 1 else 's'} a class"


def shots(number: int) -> str:
    """E.g. 2 shots."""
    return f"{number} shot{'' if number == 1 else 's'}"


def kind(name: Kind, target: str) -> str:
    """What arms of a kind learn from."""
    return {
        "image-only": f"{target} alone",
        "bridge": f"{target} and samples like them of other classes (a bridge)",
        "uml": f"{target} and auxiliary silos (UML)",
        "control": "control: a silo forced in, whatever its verdict",
        "text-only": f"auxiliary silos alone, no labelled {target}",
    }[name]


def peers(trunk: Trunk, target: str) -> str:
    """What gains are measured against."""
    return f"learns from {target} alone{' or with a bridge' if trunk.of('bridge') else ''}"


def rivals(trunk: Trunk, gains: list[Gain]) -> str:
    """The arms that gains are measured against."""
    return listed(sorted({trunk.label(gain.against) for gain in gains}))


def listed(words: list[str]) -> str:
    """E.g. a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def quoted(trunk: Trunk, method: str) -> str:
    """The name of an arm as it stands in a sentence."""
    return f"“{trunk.label(method)}”"


def sentence(text: str) -> str:
    """With a capital and a full stop, and minus signs where a hyphen stands for one."""
    text = re.sub(r"(?<![^\s(])-(?=\d)", MINUS, text.strip())
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def set_aside(silo: Silo) -> str:
    """How many of a silo's samples were bad, and why."""
    quality = silo.quality
    why = "; ".join(f"{reason}: {count}{named(quality, reason)}" for reason, count in quality.bad.items())
    return f"{silo.name}: {sum(quality.bad.values())} of {quality.rows} samples set aside: {why}"


def uneven(silo: Silo) -> str | None:
    """Which of a silo's classes are not on all sides of its split; None if all are."""
    told = [one for one in silo.quality.expectations if one.column == "class_on_all_sides" and not one.passed]
    return f"{silo.name}: not {told[0].asks} ({told[0].observed})" if told else None


_SUSPICIONS = {
    "target's name": "names a single sample of the target",
    "other looks": "looks like another class",
    "other name": "names another class and not its own",
    "elsewhere": "stands under another class, too",
    "copy": "repeats another text of its class, but for one word at most",
    "name only": "says nothing but its class's name",
    "boiler-plate": "stands under several classes, but for their names",
}


def suspicion(one: Odd) -> str:
    """What looks wrong about a sample."""
    why = _SUSPICIONS.get(one.reason, one.reason)
    return f"{why}: {one.looks}" if one.looks else why


def named(quality: Quality, reason: str) -> str:
    """The first samples that are bad for a reason, in brackets, with dots where there are more."""
    names = quality.bad_samples.get(reason, [])
    more = ", …" if quality.bad[reason] > len(names) else ""
    return f" ({', '.join(names)}{more})" if names else ""


def typed(modality: str) -> str | None:
    """A sample of the modality as `uml predict` takes it; None where a shell has no way to say it."""
    return {"image": "FILE", "audio": "FILE", "text": '"a text"', "table": "ROWS.csv"}.get(modality)


def in_python(modality: str) -> str:
    """A sample of the modality as it stands in a program."""
    told = {"text": '"a text"', "table": '{"a column": 1.5}', "series": "series", "vector": "vector"}
    return told.get(modality, '"FILE"')
