"""Records as markdown tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from uml_pipeline.report import words

Record = Mapping[str, Any]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Numbers to the right, the first column to the left."""
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def signed(gain: Record) -> str:
    """Gain with its interval; bold where it is beyond noise."""
    text = f"{words.points(gain['mean'])} ({words.points(gain['low'])} to {words.points(gain['high'])})"
    return f"**{text}**" if gain["low"] > 0 or gain["high"] < 0 else text


def accuracies(record: Record) -> str:
    """All arms and peers by shots; then gains."""
    shots = sorted({run["shots"] for run in record["runs"]})
    cells = {(run["method"], run["shots"]): "{mean:.1f} ± {std:.1f}".format(**run) for run in record["runs"]}
    rows = [
        [_named(arm), *(cells.get((name, one), "") for one in shots)]
        for name, arm in sorted(record["arms"].items(), key=lambda item: item[1]["kind"] == "peer")
    ]
    gains = {(gain["method"], gain["over"], gain["shots"]): gain for gain in record["gains"]}
    for method, over in dict.fromkeys((method, over) for method, over, _ in gains):
        label = record["arms"][method]["label"]
        rows.append([f"{label}, over {OVER[over]}", *(signed(gains[method, over, one]) for one in shots)])
    return table(["arm", *map(words.shots, shots)], rows)


def compared(results: Mapping[str, Record], method: str) -> dict[str, str]:
    """What every few-shot page shows: gains of `method` and of the paper's UML (init), what validation picks, verdicts,
    and where it comes from.
    """
    return {
        "gains": gains(results, method, "alone"),
        "paper": gains(results, "uml_init", "matched"),
        "peers": gains(results, method, "peers"),
        "picked": picked(results, "alone"),
        "picked_peers": picked(results, "peers"),
        "verdicts": verdicts(results),
        "foot": foot(results),
    }


OVER = {
    "alone": "the strongest without silos",
    "peers": "the strongest peer",
    "matched": "its control",
}


def _named(arm: Record) -> str:
    return f"*{arm['label']}*" if arm["kind"] == "peer" else str(arm["label"])


def gains(results: Mapping[str, Record], method: str, over: str) -> str:
    """A row a setting: gain of one arm over one sort of rival, by shots."""
    shots = sorted({run["shots"] for record in results.values() for run in record["runs"]})
    rows = []
    for name, record in results.items():
        there = {run["shots"] for run in record["runs"]}
        rows.append([name, *(signed(gain(record, method, over, one)) if one in there else "" for one in shots)])
    return table(["setting", *map(words.shots, shots)], rows)


def gain(record: Record, method: str, over: str, shots: int) -> Record:
    """Of one arm over one sort of rival."""
    wanted = (method, over, shots)
    return next(one for one in record["gains"] if (one["method"], one["over"], one["shots"]) == wanted)


def picked(results: Mapping[str, Record], over: str) -> str:
    """A row a setting: what validation would have picked with silos, over one sort of rival."""
    shots = sorted({one["shots"] for record in results.values() for one in record["picked"]})
    rows = []
    for name, record in results.items():
        found = {one["shots"]: one for one in record["picked"] if one["over"] == over}
        cells = [_against(found[one]) if one in found else "" for one in shots]
        rows.append([name, *cells])
    return table(["setting", *map(words.shots, shots)], rows)


def _against(gain: Record) -> str:
    peer = f" − {gain['against']}" if gain["over"] == "peers" else ""
    return f"{signed(gain)} {gain['method']}{peer}"


def verdicts(results: Mapping[str, Record]) -> str:
    """A row a setting: what the relevance test says, what ships, and what the texts are worth."""
    rows = [[name, _said(one), one["ships"]["method"], _worth(one["exchange"])] for name, one in results.items()]
    return table(["setting", "relevance", "ships", "all auxiliary samples are worth"], rows)


def _said(record: Record) -> str:
    return "; ".join(f"{silo}: {verdict}" for silo, verdict in record["verdicts"].items())


def _worth(exchange: Record) -> str:
    """In target samples a class, of each silo; nothing where no exchange was measured."""
    if "cannot_say" in exchange:
        return ""
    found = []
    for silo, one in exchange.items():
        if not isinstance(one, Mapping) or "cannot_say" in one:
            found.append(f"{silo}: nothing")
            continue
        worth = one["all_auxiliary"]["target"]
        high = "∞" if worth["high"] is None else f"{worth['high']:.1f}"
        found.append(f"{silo}: {worth['value']:.1f} ({worth['low']:.1f} to {high})")
    return "; ".join(found)


def foot(results: Mapping[str, Record]) -> str:
    """Draws, run time, and the hash of the inputs of each setting."""
    rows = [[name, one["made"]["inputs"], f"{one['made']['seconds']:.0f}"] for name, one in results.items()]
    return table(["setting", "inputs", "seconds"], rows)
