"""The report's figures, as SVG text."""

from typing import TYPE_CHECKING, Any

import numpy as np

from uml_pipeline.report import forests, words
from uml_pipeline.report.canvas import ACCENT, GREY, MUTED, Look, canvas, looks, short, weight
from uml_pipeline.report.evidence import Evidence
from uml_pipeline.report.results import Run, Trunk
from uml_pipeline.report.understanding import drawings
from uml_pipeline.report.verdicts import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(evidence: Evidence, understood: dict[str, Any]) -> dict[str, str]:
    """All figures by name, those left out for which there is nothing to show."""
    trunk = evidence.trunk
    labels = {method: trunk.label(method) for method in trunk.methods}
    figures = {"learning_curve": learning_curve(trunk)}
    if trunk.strict:
        figures["gains"] = forests.gains(trunk)
    tested = [verdict for verdict in evidence.verdicts if verdict.geometry is not None]
    figures |= {f"relevance_{verdict.silo}": relevance(verdict) for verdict in tested}
    return figures | forests.expected(evidence.verdicts) | drawings.draw(understood, labels)


def learning_curve(trunk: Trunk) -> str:
    """Accuracy against shots: the foremost arms in colour, with one standard deviation over splits; others grey."""
    with canvas("learning_curve", 8.6, 4.2) as (figure, out):
        axes = figure.add_axes((0.07, 0.12, 0.59, 0.85))
        styles, ends = looks(trunk), {}
        for method in drawn(trunk):
            runs = [(place, run) for place, number in enumerate(trunk.shots) if (run := trunk.run(method, number))]
            xs, means = [place for place, _ in runs], [run.mean for _, run in runs]
            if method not in trunk.foremost:
                axes.plot(xs, means, color=GREY, linewidth=0.9, alpha=0.55, zorder=1)
            elif runs:
                _curve(axes, trunk, method, styles[method], runs)
                ends[method] = means[-1]
        axes.set_xticks(range(len(trunk.shots)), [str(number) for number in trunk.shots])
        axes.set_xlim(-0.25, len(trunk.shots) - 0.75)
        axes.set_xlabel("labelled samples a class (shots)")
        axes.set_ylabel("accuracy, %")
        axes.grid(axis="y")
        _name_ends(axes, trunk, styles, ends)
        _mention(axes, trunk)
    return out.getvalue()


def drawn(trunk: Trunk) -> list[str]:
    """The arms of the learning curve. One far below all others would flatten the differences that matter: it is told in
    words.
    """
    return [method for method in trunk.methods if trunk.arms[method].kind != "text-only"]


def _curve(axes: "Axes", trunk: Trunk, method: str, look: Look, runs: list[tuple[int, Run]]) -> None:
    """Draw one arm, its spreads moved aside so that they do not hide another's."""
    xs, means = [place for place, _ in runs], [run.mean for _, run in runs]
    lows, highs = [run.mean - run.std for _, run in runs], [run.mean + run.std for _, run in runs]
    dodge = (trunk.foremost.index(method) - (len(trunk.foremost) - 1) / 2) * 0.03
    front = 4 if trunk.arms[method].kind == "uml" else 3
    axes.vlines([x + dodge for x in xs], lows, highs, color=look.colour, linewidth=1.2, alpha=0.6, zorder=2)
    axes.plot(xs, means, look.dash, color=look.colour, marker=look.marker, linewidth=look.width, zorder=front, ms=5)


def _name_ends(axes: "Axes", trunk: Trunk, styles: dict[str, Look], ends: dict[str, float]) -> None:
    """Write each arm's name beside the end of its curve, moved apart where names would overlap."""
    from scipy.optimize import isotonic_regression

    if not ends:
        return
    names = sorted(ends, key=lambda method: ends[method])
    low, high = axes.get_ylim()
    steps = np.arange(len(names)) * (high - low) * 0.058
    # least movement under the constraint that neighbours keep their distance
    heights = isotonic_regression(np.array([ends[name] for name in names]) - steps).x + steps
    beside = axes.get_yaxis_transform()  # across in widths of the axes: as much room for names at any number of shots
    for method, height in zip(names, heights - max(0, heights[-1] - high), strict=True):
        look = styles[method]
        drawn: dict[str, Any] = {"transform": beside, "color": look.colour, "clip_on": False}
        axes.plot([1, 1.03], [ends[method], height], linewidth=0.8, **drawn)
        axes.plot(1.045, height, marker=look.marker, markersize=5, **drawn)
        label = short(trunk.label(method), 32)
        axes.text(1.065, height, label, transform=beside, va="center", weight=weight(trunk, method))


def _mention(axes: "Axes", trunk: Trunk) -> None:
    """What is grey, and arms that need no labelled sample, in words below the curves."""
    runs = {method: trunk.run(method, trunk.shots[0]) for method in trunk.of("text-only")}
    told = [f"not drawn: {short(trunk.label(method), 40)}, {run.mean:.1f}%" for method, run in runs.items() if run]
    if others := len(set(drawn(trunk)) - set(trunk.foremost)):
        told.append(f"grey: {others} other arm{'s' * (others > 1)}, see the table")
    axes.text(0.98, 0.045, "\n".join(told), transform=axes.transAxes, ha="right", color=MUTED)


def relevance(verdict: Verdict) -> str:
    """The statistic under permuted classes as a histogram, the observed one marked."""
    test = verdict.geometry
    if test is None:
        raise ValueError(f"no permutation test was made for {verdict.silo}")
    with canvas(f"relevance_{verdict.silo}", 4.6, 2.0) as (figure, out):
        axes = figure.add_axes((0.04, 0.25, 0.92, 0.6))
        axes.hist(test.null, bins=30, color=GREY)
        axes.axvline(test.statistic, color=ACCENT, linewidth=2.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        low, high = axes.get_xlim()
        side = "right" if test.statistic > (low + high) / 2 else "left"
        told = f"observed {test.statistic:.3g}, p = {test.p_value:.3g}".replace("-", words.MINUS)
        axes.text(test.statistic, 1.04, told, transform=axes.get_xaxis_transform(), ha=side, weight="bold")
        axes.set_xlabel("agreement of the classes' geometry (grey: classes permuted)")
    return out.getvalue()
