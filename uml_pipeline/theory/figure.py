"""The figure of `uml theory`, as SVG text."""

from typing import TYPE_CHECKING

import numpy as np

from uml_pipeline.report.canvas import ACCENT, GREY, MUTED, canvas
from uml_pipeline.theory.calculator import Answer, sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_BLUE, _GREEN = "#1f83c4", "#009e73"
_LOOKS = {  # colour, marker
    "target": ("target alone", GREY, "s"),
    "auxiliary": ("auxiliary alone", _BLUE, "^"),
    "unit": ("both, unit weights", ACCENT, "D"),
    "weighted": ("both, weighted by noise", _GREEN, "o"),
}


def draw(found: Answer) -> str:
    """Left: variance along each principal direction. Right: total over what the target sees, by auxiliary samples."""
    with canvas("theory", 8.6, 3.6) as (figure, out):
        _by_direction(figure.add_axes((0.08, 0.14, 0.42, 0.68)), found)
        if found.of("seen"):
            _by_samples(figure.add_axes((0.58, 0.14, 0.41, 0.68)), found)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper center", ncols=4, frameon=False)
    return out.getvalue()


def _by_direction(axes: "Axes", found: Answer) -> None:
    """Variances, infinite ones on a line of their own at the top."""
    values = {key: np.array([getattr(line, key) for line in found.lines]) for key in _LOOKS}
    finite = np.concatenate([one[np.isfinite(one)] for one in values.values()])
    low, high = (finite.min(), finite.max()) if len(finite) else (1.0, 1.0)
    top = high * (high / low) ** 0.3 * 3
    places = np.arange(len(found.lines))
    for step, (key, (label, colour, marker)) in enumerate(_LOOKS.items()):
        heights = np.where(np.isfinite(values[key]), values[key], top)
        axes.plot(places + (step - 1.5) * 0.12, heights, marker, color=colour, label=label, ms=5, clip_on=False)
    axes.axhline(top, color=MUTED, linewidth=0.8, linestyle=":", zorder=0)
    axes.text(0, 1.02, "blind: infinite", transform=axes.transAxes, color=MUTED)
    axes.set_ylim(low / 2, top)
    axes.set_yscale("log")
    _plain_numbers(axes.yaxis)
    axes.set_xlim(-0.6, len(places) - 0.4)
    step = max(1, len(places) // 12)
    axes.set_xticks(places[::step], [line.name for line in found.lines][::step])
    axes.set_xlabel("direction: as the target sees them, best first")
    axes.set_ylabel("variance of the estimate")
    axes.grid(axis="y")


def _by_samples(axes: "Axes", found: Answer) -> None:
    most = 10 * max(found.target.samples, found.auxiliary.samples)
    samples = sorted({max(1, round(one)) for one in np.geomspace(1, most, 60)})
    weighted, unit = sweep(found, samples)
    alone = sum(line.target for line in found.of("seen"))
    for key, heights in (("target", np.full(len(samples), alone)), ("unit", unit), ("weighted", weighted)):
        axes.plot(samples, heights, color=_LOOKS[key][1], linewidth=2)
    axes.axvline(found.auxiliary.samples, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    axes.set_yscale("log")
    _plain_numbers(axes.xaxis)
    _plain_numbers(axes.yaxis)
    axes.set_xlabel("auxiliary samples (dotted: this model's)")
    axes.set_ylabel("total variance of what the target sees")
    axes.grid(axis="y")


def _plain_numbers(axis: "Axis") -> None:
    """On a logarithmic axis, numbers that are no formulas: the canvas draws none."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}" if 1e-4 <= value < 1e6 else f"{value:.0e}"))
    axis.set_minor_formatter(NullFormatter())
