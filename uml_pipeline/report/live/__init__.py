"""The figures that answer to the reader; each has a still twin for print, and where no script runs."""

from collections.abc import Mapping
from typing import Any

from uml_pipeline.report.evidence import Evidence
from uml_pipeline.report.live.accuracy import learning_curve
from uml_pipeline.report.live.confusions import confusions
from uml_pipeline.report.live.exchange import exchange

__all__ = ["draw"]


def draw(evidence: Evidence, understood: Mapping[str, Any]) -> dict[str, str]:
    """All live figures by the name of their still twin, as JSON in which no text can end a script."""
    figures = {"learning_curve": learning_curve(evidence.trunk)}
    for silo, found in understood["exchange"].items():
        if isinstance(found, dict) and "surface" in found:
            figures[f"exchange_{silo}"] = exchange(silo, found)
    if rows := understood["moved"].get("confusions"):
        figures["confusions"] = confusions(rows)
    return {name: figure.to_json() for name, figure in figures.items()}
