"""What auxiliary samples are worth, as Plotly takes it."""

import html
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from uml_pipeline.report.canvas import INK, MUTED
from uml_pipeline.report.live.blank import blank
from uml_pipeline.report.understanding.surface import Surface

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_ACROSS, _DOWN = 31, 25  # places at which a surface is drawn


def exchange(silo: str, found: dict[str, Any]) -> "Figure":
    """The fitted accuracy over auxiliary and target samples a class, with what was measured on it."""
    import plotly.graph_objects as go

    surface = Surface(**{field.name: found["surface"][field.name] for field in fields(Surface)})
    cells = found["cells"]
    shots = sorted({cell["shots"] for cell in cells})
    x, y = np.linspace(0, surface.most, _ACROSS), np.geomspace(shots[0], shots[-1], _DOWN)
    silo = html.escape(silo)
    figure = blank()
    figure.add_trace(
        go.Contour(
            x=x.tolist(),
            y=y.tolist(),
            z=surface.accuracy(y[:, None], x[None, :]).round(2).tolist(),
            colorscale=[[0, "rgba(213,94,0,0)"], [1, "rgba(213,94,0,0.4)"]],
            contours={
                "coloring": "heatmap",
                "showlabels": True,
                "labelfont": {"color": INK, "size": 12},
                "labelformat": ".0f",
            },
            line={"color": MUTED, "width": 1},
            showscale=False,
            hovertemplate=f"%{{y:.2g}} labelled, %{{x:.1f}} of {silo}:<br>%{{z:.1f}}% by the fit<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[cell["auxiliary"] for cell in cells],
            y=[cell["shots"] for cell in cells],
            text=[f"{cell['accuracy']:.1f}%" for cell in cells],
            mode="markers",
            cliponaxis=False,
            marker={"color": INK, "size": 7},
            hovertemplate=f"%{{y:g}} labelled, %{{x:.1f}} of {silo}:<br>%{{text}} measured<extra></extra>",
        )
    )
    figure.update_xaxes(title_text=f"samples of {silo} a class", showgrid=False)
    ticks = {"tickvals": shots, "ticktext": [f"{one:g}" for one in shots]}
    figure.update_yaxes(title_text="labelled samples a class (shots)", type="log", showgrid=False, **ticks)
    return figure
