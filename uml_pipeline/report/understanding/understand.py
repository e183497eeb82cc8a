"""All analyses of one study, each of which says why where it cannot say anything."""

from typing import Any

from uml_pipeline.report.robustness import robustness
from uml_pipeline.report.understanding.alignment import alignment
from uml_pipeline.report.understanding.classes import by_class, moved
from uml_pipeline.report.understanding.clusters import clusters
from uml_pipeline.report.understanding.contenders import contest
from uml_pipeline.report.understanding.curves import curves
from uml_pipeline.report.understanding.exchange import exchange
from uml_pipeline.report.understanding.margins import margins
from uml_pipeline.report.understanding.reasons import CannotSay, told
from uml_pipeline.study import Study

_OF_BOTH = ("margins", "clusters", "alignment", "classes", "moved", "robustness")


def understand(study: Study) -> dict[str, Any]:
    """What can be said of why the model is better or not, as plain JSON: by analysis, or {"cannot_say": reason}.

    Deterministic. Reads the held-out test samples, as the report is meant to.

    Raises:
        UserError: the trunk or the model is not made yet.
    """
    alone = {"exchange": told(lambda: exchange(study)), "curves": told(lambda: curves(study))}
    try:
        pair = contest(study)
    except CannotSay as silence:
        return (
            {"contest": {"cannot_say": str(silence)}}
            | alone
            | {name: {"cannot_say": str(silence)} for name in _OF_BOTH}
        )
    return {
        "contest": {name: one.describe() for name, one in pair.both.items()} | {"samples": len(pair.y)},
        "margins": margins(pair),
        "clusters": clusters(pair),
        "alignment": alignment(study, pair),
        "classes": told(lambda: by_class(study, pair)),
        "moved": moved(pair),
        "robustness": told(lambda: robustness(study, pair)),
    } | alone
