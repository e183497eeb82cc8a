"""A look into a silo: a contact sheet of images or spectrograms, or a few texts, rows or numbers."""

import hashlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from PIL import Image

from uml_pipeline.cache import Cache
from uml_pipeline.samples import Container, Sample
from uml_pipeline.silo.config import Modality
from uml_pipeline.silo.listing import PICTURE
from uml_pipeline.silo.measure import SIDE
from uml_pipeline.workspace import write_json

_ACROSS, _DOWN, _GAP = 12, 4, 4  # of the sheet, in tiles and pixels
_LINES, _NUMBERS = 20, 8


def write_examples(good: pd.DataFrame, modality: Modality, container: Container, cache: Cache, folder: Path) -> None:
    """Write `folder`/contact.png, from the pictures that `cache` holds, or `folder`/examples.json, of good manifest
    rows. Which ones is fixed by their content.
    """
    pictured = modality in ("image", "audio")
    rank = good["sample_id"].map(lambda one: hashlib.sha256(f"example:{one}".encode()).hexdigest())
    chosen = good.loc[rank.sort_values(kind="stable").index[: _ACROSS * _DOWN if pictured else _LINES]].sort_index()
    if pictured:
        keys = [one + PICTURE for one in chosen["sample_id"]]
        _contact_sheet([Image.open(BytesIO(picture)) for _, picture in cache.get(keys)]).save(folder / "contact.png")
    else:
        write_json(folder / "examples.json", list(_lines(chosen, modality, container)))


def _lines(chosen: pd.DataFrame, modality: Modality, container: Container) -> Iterator[dict[str, Any]]:
    content = chosen["text" if modality == "text" else "path"]
    for name, label in zip(content, chosen["label"], strict=True):
        text = name if modality == "text" else _words(container.read(name))
        yield {"text": text, "label": None if pd.isna(label) else label}


def _words(sample: Sample) -> str:
    """A row's first cells, or the first numbers of a vector or series (its first channel)."""
    if isinstance(sample, dict):
        return ", ".join(f"{name}: {cell}" for name, cell in list(sample.items())[:_NUMBERS])
    array = cast(np.ndarray, sample)
    numbers = array.reshape(len(array), -1)[:, 0]
    return " ".join(f"{number:.4g}" for number in numbers[:_NUMBERS]) + (" …" if len(numbers) > _NUMBERS else "")


def _contact_sheet(tiles: list[Image.Image]) -> Image.Image:
    down = -(-len(tiles) // _ACROSS)
    sheet = Image.new("RGB", (_ACROSS * (SIDE + _GAP) + _GAP, down * (SIDE + _GAP) + _GAP), "white")
    for place, tile in enumerate(tiles):
        row, column = divmod(place, _ACROSS)
        sheet.paste(tile, (_GAP + column * (SIDE + _GAP), _GAP + row * (SIDE + _GAP)))
    return sheet
