"""Confusion that moved, as Plotly takes it."""

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from uml_pipeline.report.canvas import ACCENT, GREY, LESS, short
from uml_pipeline.report.live.blank import blank

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def confusions(rows: Sequence[dict[str, Any]]) -> "Figure":
    """How often a class is taken for another, without auxiliary silos and with them, and for which samples."""
    import plotly.graph_objects as go

    figure, places = blank(), list(range(len(rows)))
    for row, place in zip(rows, places, strict=True):
        ends = [row["baseline"], row["ours"]]
        figure.add_trace(go.Scatter(x=ends, y=[place] * 2, mode="lines", line={"color": GREY}, hoverinfo="skip"))
    for part, told, colour, symbol in (("baseline", "without", LESS, "square"), ("ours", "with", ACCENT, "circle")):
        figure.add_trace(
            go.Scatter(
                x=[row[part] for row in rows],
                y=places,
                mode="markers",
                marker={"color": colour, "size": 11, "symbol": symbol},
                hovertext=[_taken(row, part, told) for row in rows],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
    names = [f"{html.escape(short(r['label'], 22))}<br>→ {html.escape(short(r['taken_for'], 20))}" for r in rows]
    figure.update_xaxes(title_text="test samples", dtick=max(1, max(max(r["ours"], r["baseline"]) for r in rows) // 5))
    figure.update_yaxes(tickvals=places, ticktext=names, range=[len(rows) - 0.4, -0.6], showgrid=False)
    return figure


def _taken(row: dict[str, Any], part: str, told: str) -> str:
    count, files = row[part], [str(one.get("path", one.get("text", ""))) for one in row["examples"]]
    lines = [
        f"<b>{html.escape(row['label'])}</b> taken for <b>{html.escape(row['taken_for'])}</b>",
        f"{told} auxiliary silos: {count} time{'' if count == 1 else 's'}",
        *(html.escape(short(name, 60)) for name in files),
    ]
    return "<br>".join(lines)
