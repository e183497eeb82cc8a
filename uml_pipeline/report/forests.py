"""Forest plots: one row a difference, with its 95% interval, around a line at zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uml_pipeline.report import words
from uml_pipeline.report.canvas import ACCENT, GREY, LESS, MUTED, canvas, looks, short, weight
from uml_pipeline.report.results import Trunk
from uml_pipeline.report.verdicts import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Row:
    """A difference in percentage points."""

    label: str
    mean: float
    low: float
    high: float
    colour: str
    marker: str = "o"
    weight: str = "normal"
    chance: float | None = None
    """What chance gives, where that was tried: an open diamond."""


def forest(name: str, rows: Sequence[Row | str], told: str, across: tuple[float, float] | None = None) -> str:
    """Rows from the top, texts among them being headings; `told` names the axis, `across` its limits if they are given.

    Narrow, with words above the intervals, so that it can be read at the width of a phone.
    """
    with canvas(name, 3.8, 0.55 + 0.37 * len(rows)) as (figure, out):
        bottom = 0.5 / figure.get_figheight()
        axes = figure.add_axes((0.02, bottom, 0.96, 0.995 - bottom))
        for place, row in enumerate(rows):
            if isinstance(row, str):
                _write(axes, place + 0.2, 0, row, weight="bold", color=MUTED)
            else:
                _draw(axes, row, place)
        axes.set_ylim(len(rows) - 0.4, -0.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.margins(x=0.08)
        if across:
            axes.set_xlim(*across)
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel(told)
    return out.getvalue()


def _draw(axes: "Axes", row: Row, place: int) -> None:
    _write(axes, place - 0.2, 0, short(row.label, 31), weight=row.weight)
    value = f"{words.points(row.mean)}  ({words.points(row.low)} to {words.points(row.high)})"
    _write(axes, place - 0.2, 1, value, ha="right", weight=row.weight)
    height = place + 0.2
    axes.plot([0, 0], [place, place + 0.4], color=MUTED, linewidth=1)
    axes.plot([row.low, row.high], [height, height], color=row.colour, linewidth=2)
    axes.plot(row.mean, height, color=row.colour, marker=row.marker, markersize=6)
    if row.chance is not None:
        axes.plot(row.chance, height, color=MUTED, marker="D", markersize=5, markerfacecolor="none")


def _write(axes: "Axes", height: float, side: float, text: str, **drawn: Any) -> None:
    axes.text(side, height, text, transform=axes.get_yaxis_transform(), va="center", **drawn)


def gains(trunk: Trunk) -> str:
    """Paired gain of the foremost arms, and of controls, over the strongest arm without auxiliary silos."""
    styles, shown = looks(trunk), [*trunk.foremost, *trunk.of("control")]
    rows: list[Row | str] = []
    for number in sorted({gain.shots for gain in trunk.strict}):
        group = [gain for gain in trunk.strict if gain.shots == number and gain.method in shown]
        rows.append(f"{words.shots(number)}, against {short(words.rivals(trunk, group), 40)}")
        for gain in group:
            look, bold = styles[gain.method], weight(trunk, gain.method)
            rows.append(
                Row(trunk.label(gain.method), gain.mean, gain.low, gain.high, look.colour, look.marker, weight=bold)
            )
    return forest("gains", rows, "gain, percentage points (95% interval)")


def expected(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """By silo the gain that was predicted, alone and beside the others: all on one scale, so that silos compare."""
    rows = {verdict.silo: _expected(verdict) for verdict in verdicts}
    ends = [end for own in rows.values() for row in own for end in (row.low, row.high, row.chance or 0.0)]
    if not ends:
        return {}
    room = 0.08 * (max(ends) - min(ends))
    across = (min(*ends, 0) - room, max(*ends, 0) + room)
    told = "expected gain, percentage points"
    return {f"expected_{name}": forest(f"expected_{name}", own, told, across) for name, own in rows.items() if own}


def _expected(verdict: Verdict) -> list[Row]:
    colour = {"helps": ACCENT, "harms": LESS}.get(verdict.verdict, GREY)
    company = {"with the target alone": verdict.alone, "beside all other silos": verdict.beside}
    return [
        Row(label, one.gain.mean, one.gain.low, one.gain.high, colour, chance=one.permuted)
        for label, one in company.items()
        if one is not None
    ]


def classes(found: dict[str, list[dict[str, float | str]]]) -> str:
    """The classes that are helped and hurt most, in this order."""
    rows: list[Row | str] = []
    for key, colour in (("helped", ACCENT), ("hurt", LESS)):
        if found[key]:
            rows.append(f"{key} most")
            rows += [
                Row(str(one["label"]), float(one["mean"]), float(one["low"]), float(one["high"]), colour)
                for one in found[key]
            ]
    return forest("classes", rows, "gain of the class, percentage points")
