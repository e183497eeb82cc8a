"""Aligned encoders: drawings of emoji beside sentences; the image encoder was taught the space of the texts."""

from functools import partial

from studies import tables
from studies.measure import OURS, Params, probed
from studies.place import Place
from studies.plan import Plan, Record, Results
from uml_pipeline.demo.data import write

ARTISTS = 6
SETTINGS = {"descriptions": "descriptions", "scrambled descriptions": "scrambled"}


def params(texts: str, place: Place, seeds: int) -> Params:
    """The demo's silos. Every artist is the test artist at least once."""
    if not (place.folder / "data" / f"{texts}.csv").exists():
        write(place.folder)
    drawings = {"modality": "image", "path": "data/drawings", "encoder": "builtin/emoji", "group": "artist"}
    told = {"modality": "text", "path": f"data/{texts}.csv", "encoder": "builtin/minilm"}
    trunk = {"shots": [1, 2, 4], "seeds": max(seeds, ARTISTS)}
    return {"target": "drawings", "silos": {"drawings": drawings, "texts": told}, "trunk": trunk}


def _measured(texts: str, place: Place, seeds: int) -> Record:
    return probed(params(texts, place, seeds), place)


def blocks(results: Results) -> dict[str, str]:
    """Tables of the page."""
    return {
        "gains": tables.gains(results, list(results), OURS, "alone"),
        "paper": tables.gains(results, list(results), "uml_init", "matched"),
        "peers": tables.gains(results, list(results), OURS, "peers"),
        "picked": tables.picked(results),
        "verdicts": tables.verdicts(results),
        "accuracies": tables.accuracies(results["descriptions"]),
        "foot": tables.foot(results),
    }


PLAN = Plan({key: partial(_measured, one) for key, one in SETTINGS.items()}, blocks)
