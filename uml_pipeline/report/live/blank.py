"""What all live figures share."""

from typing import TYPE_CHECKING

from uml_pipeline.report.canvas import CARD, INK, LINE, MUTED

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def blank() -> "Figure":
    """Empty, in colours that the page replaces by its scheme's. Nothing can be dragged: a finger scrolls the page."""
    import plotly.graph_objects as go

    family = "system-ui, sans-serif"
    axis = {"fixedrange": True, "automargin": True, "gridcolor": LINE, "linecolor": MUTED, "zeroline": False}
    axis |= {"title": {"font": {"size": 13, "color": MUTED}}}
    return go.Figure(
        layout={
            "template": "none",
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": family, "size": 13, "color": INK},
            "margin": {"l": 50, "r": 16, "t": 16, "b": 46},
            "hoverlabel": {
                "bgcolor": CARD,
                "bordercolor": MUTED,
                "font": {"family": family, "color": INK},
                "align": "left",
            },
            "showlegend": False,
            "dragmode": False,
            "hovermode": "closest",
            "xaxis": axis,
            "yaxis": axis,
        }
    )
