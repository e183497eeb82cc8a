"""How all figures look: colours, markers, fonts; SVG text out, the same bytes for the same drawing."""

import io
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uml_pipeline.report.results import Kind, Trunk

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, LINE, CARD = "#1b1f24", "#5c6670", "#d9dee3", "#ffffff"
"""The four colours that the page replaces by its own, so that figures follow its light or dark scheme."""
ACCENT, LESS, GREY = "#d55e00", "#1f83c4", "#8a949e"
"""With auxiliary silos, or more; without, or less; what stands behind."""

_COLOURS: dict[Kind, list[str]] = {  # after Okabe and Ito: told apart with any colour vision, on light and on dark
    "image-only": [LESS, "#56b4e9", "#0b5a8f", "#6f7f8f"],
    "bridge": ["#009e73", "#5fbf9f", "#2f6f5e"],
    "uml": [ACCENT, "#e69f00", "#cc79a7", "#b8860b", "#a0522d", "#f0b27a", "#8c564b"],
    "control": [GREY],
    "text-only": [GREY],
}
_MARKERS = "osD^vP"


@dataclass(frozen=True)
class Look:
    """How one arm is drawn."""

    colour: str
    marker: str
    dash: str
    width: float


def looks(trunk: Trunk) -> dict[str, Look]:
    """Blues: target alone; greens: with a bridge; warm colours: UML. What ships comes first, then the foremost."""
    found = {}
    for kind, colours in _COLOURS.items():
        methods = sorted(trunk.of(kind), key=lambda name: (name != trunk.ships.method, name not in trunk.foremost))
        for place, method in enumerate(methods):
            marker = "X" if kind == "control" else _MARKERS[place % len(_MARKERS)]
            dash, width = (":" if kind == "control" else "-"), (2.0 if kind == "uml" else 1.3)
            found[method] = Look(colours[place % len(colours)], marker, dash, width)
    return found


def weight(trunk: Trunk, method: str) -> str:
    """What ships is written bold."""
    return "bold" if method == trunk.ships.method else "normal"


def short(text: str, width: int) -> str:
    """The text cut at a word."""
    return textwrap.shorten(text, width, placeholder=" …")


@contextmanager
def canvas(name: str, width: float, height: float) -> Iterator[tuple["Figure", io.StringIO]]:
    """A figure of so many inches; when the block ends it stands in the text as SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "svg.hashsalt": name,
        "svg.fonttype": "none",  # text stays text: it can be read aloud, found and copied
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 9,
        "text.color": INK,
        "text.parse_math": False,  # a dollar sign in a label is a dollar sign
        "axes.edgecolor": MUTED,
        "axes.labelcolor": MUTED,
        "axes.labelsize": 9.5,
        "axes.facecolor": "none",
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.facecolor": CARD,
        "grid.color": LINE,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
    }
    out = io.StringIO()
    with mpl.rc_context():
        mpl.rcdefaults()  # a user's own matplotlibrc must not change the report's bytes
        mpl.rcParams.update(settings)
        figure = Figure(figsize=(width, height))
        yield figure, out
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
