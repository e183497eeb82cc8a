"""Photos with descriptions: two encoders of photos, two of texts, bridges of 0 to 55 classes, irrelevant texts."""

from functools import partial
from itertools import product

from studies import tables
from studies.caltech import LENT, OWN, SHOTS, About, Setting, params
from studies.curves import draw_gains
from studies.measure import OURS, probing
from studies.plan import Plan, Results
from studies.silos import PHOTO_ENCODERS, TEXT_ENCODERS
from uml_pipeline.report.canvas import INK, canvas

_PAIRS = list(product(PHOTO_ENCODERS, TEXT_ENCODERS))
_FIRST = _PAIRS[0]
_FEWER = (1, 4)  # shots of what is not the main comparison: a setting with all five takes twice the time
_SPOILT: tuple[About, ...] = ("permuted", "unrelated", "noise")


def _bridge(classes: int, pair: tuple[str, str] = _FIRST, about: About = "its classes") -> Setting:
    name = f"35 classes, bridge of {classes}" + _but(about) + _by(pair)
    shots = SHOTS if classes == 55 and about == "its classes" else _FEWER
    return Setting(name, min(LENT, classes), max(0, classes - LENT), OWN, *pair, about, shots=shots)


def _but(about: About) -> str:
    return "" if about == "its classes" else f", {about} texts"


def _by(pair: tuple[str, str]) -> str:
    return "" if pair == _FIRST else f" ({pair[0]}, {pair[1]})"


SETTINGS = [
    *(Setting(f"50 classes, no bridge{_by(pair)}", photos=pair[0], texts=pair[1]) for pair in _PAIRS),
    *(Setting(f"50 classes, no bridge{_but(about)}", about=about, shots=_FEWER) for about in _SPOILT),
    Setting("35 classes, no bridge", target=OWN, shots=_FEWER),
    *(_bridge(classes) for classes in (10, 25, 40)),
    *(_bridge(55, pair) for pair in _PAIRS),
    *(_bridge(55, about=about) for about in _SPOILT if about != "unrelated"),
]


def blocks(results: Results) -> dict[str, str]:
    """Tables of the page."""
    return {
        **tables.compared(results, OURS),
        "alone": tables.accuracies(results["50 classes, no bridge"]),
        "bridged": tables.accuracies(results["35 classes, bridge of 55"]),
    }


def figure(results: Results) -> str:
    """Gain by the number of classes in the bridge, at the fewest shots."""
    with canvas("bridge", 5.6, 3.2) as (drawing, text):
        axes = drawing.add_subplot()
        axes.axhline(0, color=INK, linewidth=0.8)
        plain = [one for one in SETTINGS if one.target == OWN and one.about == "its classes" and _is_first(one)]
        draw_gains(axes, [(one.bridge, results[one.name]) for one in plain], _FEWER, apart=1.2)
        axes.set_xlabel("classes in the bridge")
        axes.set_ylabel("gain, points")
        axes.legend(frameon=False)
        drawing.subplots_adjust(bottom=0.16)
    return text.getvalue()


def _is_first(setting: Setting) -> bool:
    return (setting.photos, setting.texts) == _FIRST


PLAN = Plan(probing({one.name: partial(params, one) for one in SETTINGS}), blocks, {"bridge.svg": figure})
