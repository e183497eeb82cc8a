"""Aligned encoders: drawings of emoji beside sentences; the image encoder was taught the space of the texts."""

from functools import partial

from studies import tables
from studies.measure import OURS, Params, probing
from studies.place import Place
from studies.plan import Plan, Results
from uml_pipeline.demo.data import write

ARTISTS = 6
SETTINGS = {"descriptions": "descriptions", "scrambled descriptions": "scrambled"}


def params(texts: str, place: Place, seeds: int) -> Params:
    """The demo's silos. Every artist is the test artist at least once."""
    if not (place.folder / "data" / f"{texts}.csv").exists():
        write(place.folder)
    drawings = {"modality": "image", "path": "data/drawings", "encoder": "builtin/emoji", "group": "artist"}
    told = {"modality": "text", "path": f"data/{texts}.csv", "encoder": "builtin/minilm"}
    shots = [1, 2, 4] if texts == "descriptions" else [1, 2]
    trunk = {"shots": shots, "seeds": max(seeds, ARTISTS)}
    return {"target": "drawings", "silos": {"drawings": drawings, "texts": told}, "trunk": trunk}


def blocks(results: Results) -> dict[str, str]:
    """Tables of the page."""
    return {
        **tables.compared(results, OURS),
        "accuracies": tables.accuracies(results["descriptions"]),
    }


PLAN = Plan(probing({key: partial(params, one) for key, one in SETTINGS.items()}), blocks)
