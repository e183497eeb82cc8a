"""The figures of what was understood, as SVG text."""

from typing import Any

from uml_pipeline.report import forests, words
from uml_pipeline.report.canvas import ACCENT, GREY, LESS, MUTED, canvas, short

_LINES = ["#1f83c4", "#d55e00", "#009e73", "#cc79a7", "#8a949e", "#b8860b", "#2f6f5e", "#8c564b"]
_MARKERS = "osD^vPX"


def draw(found: dict[str, Any], labels: dict[str, str]) -> dict[str, str]:
    """All figures by name, those left out for which there is nothing to show; `labels` are the arms' names."""
    figures = {}
    for silo, one in found["exchange"].items():
        if isinstance(one, dict) and "lines" in one:
            figures[f"exchange_{silo}"] = exchange(silo, one)
    for key in ("alpha", "ratio"):
        if rows := found["curves"].get(key):
            figures[f"by_{key}"] = settings(key, rows, labels)
    if "rows" in found["robustness"]:
        figures["robustness"] = robustness(found["robustness"])
    if isinstance(found["classes"], list):
        figures["classes"] = forests.classes(found["classes"][0])
    if found["moved"].get("confusions"):
        figures["confusions"] = confusions(found["moved"]["confusions"])
    return figures


def exchange(silo: str, found: dict[str, Any]) -> str:
    """Curves of equal accuracy over auxiliary and target samples, with what was measured beside its place."""
    with canvas(f"exchange_{silo}", 5.8, 3.6) as (figure, out):
        axes = figure.add_axes((0.1, 0.14, 0.8, 0.82))
        for line in found["lines"]:
            xs, ys = zip(*line["points"], strict=True)
            axes.plot(xs, ys, color=ACCENT, linewidth=1.4)
            told, beside = f"{line['accuracy']:.0f}%", axes.get_yaxis_transform()
            axes.text(1.02, ys[-1], told, transform=beside, weight="bold", va="center")
        for cell in found["cells"]:
            axes.plot(cell["auxiliary"], cell["shots"], "o", color=GREY, markersize=4)
            axes.annotate(
                f"{cell['accuracy']:.1f}", (cell["auxiliary"], cell["shots"]), (3, 4), textcoords="offset points"
            )
        shots = sorted({cell["shots"] for cell in found["cells"]})
        axes.set_yscale("log")
        axes.set_yticks(shots, [f"{one:g}" for one in shots])
        axes.minorticks_off()
        axes.set_xlabel(f"samples of {short(silo, 40)} a class")
        axes.set_ylabel("labelled samples a class (shots)")
        axes.margins(y=0.12)
    return out.getvalue()


def settings(key: str, rows: list[dict[str, Any]], labels: dict[str, str]) -> str:
    """Validation log-loss against a setting, where labels are scarcest: one line an arm."""
    shots = min(row["shots"] for row in rows)
    here = [row for row in rows if row["shots"] == shots]
    values = sorted({row["value"] for row in here})
    methods = list(dict.fromkeys(row["method"] for row in here))
    height = 2.8 + 0.2 * len(methods)
    with canvas(f"by_{key}", 4.4, height) as (figure, out):
        axes = figure.add_axes((0.15, 1 - 2.2 / height, 0.82, 2.15 / height))
        for place, method in enumerate(methods):
            own = [row for row in here if row["method"] == method]
            xs, ys = [values.index(row["value"]) for row in own], [row["loss"] for row in own]
            look = {"color": _LINES[place % len(_LINES)], "marker": _MARKERS[place % len(_MARKERS)]}
            axes.plot(xs, ys, label=short(labels.get(method, method), 40), markersize=5, **look)  # type: ignore[arg-type]
        axes.set_xticks(range(len(values)), [f"{value:g}" for value in values])
        axes.set_xlabel({"alpha": "weight of the joint loss (alpha)", "ratio": "auxiliary batches for one"}[key])
        axes.set_ylabel(f"validation log-loss, {words.shots(shots)}")
        axes.grid(axis="y")
        axes.legend(loc="upper left", bbox_to_anchor=(-0.1, -0.2), frameon=False)
    return out.getvalue()


def robustness(found: dict[str, Any]) -> str:
    """Accuracy of both models by strength, a panel a kind of damage."""
    kinds = list(dict.fromkeys(row["kind"] for row in found["rows"]))
    across = min(4, len(kinds))
    down = -(-len(kinds) // across)
    clean = found["clean"]
    with canvas("robustness", 2.1 * across + 0.4, 1.9 * down + 0.5) as (figure, out):
        panels = figure.subplots(down, across, sharey=True, squeeze=False)
        for place, kind in enumerate(kinds):
            axes = panels[place // across][place % across]
            rows = [row for row in found["rows"] if row["kind"] == kind]
            for part, colour, dash in (("baseline", GREY, "--"), ("ours", ACCENT, "-")):
                heights = [clean[part], *(row[part] for row in rows)]
                axes.plot(range(len(heights)), heights, dash, color=colour, marker="o", markersize=3.5)
            axes.set_title(kind, fontsize=9, color=MUTED)
            axes.set_xticks(range(len(rows) + 1), ["clean", *(f"{row['strength']:g}" for row in rows)])
        for spare in range(len(kinds), down * across):
            panels[spare // across][spare % across].set_axis_off()
        figure.supylabel("accuracy, %", fontsize=9.5, color=MUTED)
        figure.tight_layout()
    return out.getvalue()


def confusions(rows: list[dict[str, Any]]) -> str:
    """How often a class is taken for another without auxiliary silos and with them."""
    with canvas("confusions", 5.8, 0.6 + 0.36 * len(rows)) as (figure, out):
        bottom = 0.55 / figure.get_figheight()
        axes = figure.add_axes((0.5, bottom, 0.46, 0.98 - bottom))
        for place, one in enumerate(rows):
            axes.plot([one["baseline"], one["ours"]], [place, place], color=GREY, linewidth=1.5, zorder=1)
            axes.plot(one["baseline"], place, "s", color=LESS, markersize=6)
            axes.plot(one["ours"], place, "o", color=ACCENT, markersize=7)
        axes.set_yticks(range(len(rows)), [f"{short(r['label'], 20)} → {short(r['taken_for'], 20)}" for r in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.locator_params(axis="x", integer=True, nbins=6)
        axes.grid(axis="x")
        axes.set_xlabel("test samples (square: without auxiliary silos)")
    return out.getvalue()
