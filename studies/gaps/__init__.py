"""What is lost when texts are missing for some classes, stand under wrong labels, or are about something else."""

from functools import partial

from studies import tables
from studies.caltech import LENT, OWN, Setting, params
from studies.curves import draw_gains
from studies.measure import OURS, Params, probing
from studies.place import Place
from studies.plan import Plan, Results
from uml_pipeline.report.canvas import INK, canvas

SHOTS = (1, 2)
COVERED, MISLABELLED, SHIFTED = (0.0, 0.25, 0.5, 0.75), (0.1, 0.25, 0.5), (0.5, 1.0)
QUICK = {"steps": 60, "alphas": [0.3], "scales": [10.0], "rates": [0.003]}
"""Arms by gradient stand beside, with one setting each: the curves are the closed form's."""


def _setting(name: str, **spoilt: float) -> Setting:
    return Setting(name, LENT, 40, OWN, shots=SHOTS, **spoilt)  # type: ignore[arg-type]


CLEAN = "all texts as they are"
CURVES = {
    "classes with texts": [(one, f"texts for {one:.0%} of the classes", {"covered": one}) for one in COVERED],
    "texts under wrong labels": [(one, f"{one:.0%} of texts mislabelled", {"mislabelled": one}) for one in MISLABELLED],
    "classes with texts of the likest": [
        (one, f"texts of {one:.0%} of the classes shifted", {"shifted": one}) for one in SHIFTED
    ],
}
SETTINGS = [
    _setting(CLEAN),
    *(_setting(name, **spoilt) for curve in CURVES.values() for _, name, spoilt in curve),
]


def _params(setting: Setting, place: Place, seeds: int) -> Params:
    study = params(setting, place, seeds)
    study["trunk"] |= {"grid": QUICK, "exchange": {"splits": 0}}
    return study


def blocks(results: Results) -> dict[str, str]:
    """Tables of the page."""
    return tables.compared(results, OURS)


def figure(results: Results) -> str:
    """Gain along each of the three curves, by shots."""
    with canvas("gaps", 9.2, 3.2) as (drawing, text):
        panels = drawing.subplots(1, 3, sharey=True)
        for axes, (label, curve) in zip(panels, CURVES.items(), strict=True):
            whole = (1.0 if label == "classes with texts" else 0.0, CLEAN)
            points = sorted([whole, *((share, name) for share, name, _ in curve)])
            axes.axhline(0, color=INK, linewidth=0.8)
            draw_gains(axes, [(share, results[name]) for share, name in points], SHOTS, apart=0.012)
            axes.set_xlabel(label)
            axes.xaxis.set_major_formatter("{x:.0%}")
        panels[0].set_ylabel("gain, points")
        panels[0].legend(frameon=False)
        drawing.subplots_adjust(bottom=0.16, wspace=0.08)
    return text.getvalue()


PLAN = Plan(probing({one.name: partial(_params, one) for one in SETTINGS}), blocks, {"gaps.svg": figure})
