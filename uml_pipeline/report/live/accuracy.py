"""Accuracy by the number of labelled samples, as Plotly takes it."""

import html
from typing import TYPE_CHECKING

from uml_pipeline.report import words
from uml_pipeline.report.canvas import looks
from uml_pipeline.report.figures import drawn
from uml_pipeline.report.live.blank import blank
from uml_pipeline.report.results import Trunk

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_SYMBOLS = {
    "o": "circle",
    "s": "square",
    "D": "diamond",
    "^": "triangle-up",
    "v": "triangle-down",
    "P": "cross",
    "X": "x",
}


def learning_curve(trunk: Trunk) -> "Figure":
    """Accuracy against shots, one line an arm; `meta` is the arm, by which the page's boxes find it."""
    import plotly.graph_objects as go

    styles, figure = looks(trunk), blank()
    for method in drawn(trunk):
        runs = [run for number in trunk.shots if (run := trunk.run(method, number))]
        line = {"color": styles[method].colour, "width": 2.5, "dash": "dot" if styles[method].dash == ":" else "solid"}
        figure.add_trace(
            go.Scatter(
                x=[trunk.shots.index(run.shots) for run in runs],
                y=[run.mean for run in runs],
                hovertext=[_said(trunk, method, run.shots) for run in runs],
                hovertemplate="%{hovertext}<extra></extra>",
                meta=method,
                mode="lines+markers",
                line=line,
                marker={"size": 8, "symbol": _SYMBOLS[styles[method].marker]},
            )
        )
    ticks = {"tickvals": list(range(len(trunk.shots))), "ticktext": [str(number) for number in trunk.shots]}
    figure.update_xaxes(title_text="labelled samples a class (shots)", showgrid=False, **ticks)
    figure.update_yaxes(title_text="accuracy, %")
    return figure


def _said(trunk: Trunk, method: str, shots: int) -> str:
    """What stands beside a point."""
    run = trunk.run(method, shots)
    lines = [f"<b>{html.escape(trunk.label(method))}</b>"]
    if run:
        lines.append(f"{words.shots(shots)}: {run.mean:.1f}% ± {run.std:.1f} over {run.seeds} splits")
    for gain in trunk.strict:
        if (gain.method, gain.shots) == (method, shots):
            lines.append(f"{words.points(gain.mean)} ({words.interval(gain)}) against")
            lines.append(html.escape(trunk.label(gain.against)))
            lines.append(words.splits(gain))
    return "<br>".join(line for line in lines if line)
