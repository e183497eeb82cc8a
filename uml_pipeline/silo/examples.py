"""A look into a silo: a contact sheet of images, or a few texts."""

import random
from pathlib import Path

import pandas as pd
from PIL import Image, ImageOps

from uml_pipeline.silo.config import Modality
from uml_pipeline.silo.images import read_image
from uml_pipeline.workspace import write_json

_SEED = 2026
_ACROSS, _DOWN, _SIDE, _GAP = 12, 4, 80, 4  # of the sheet, in tiles and pixels
_TEXTS = 20


def write_examples(table: pd.DataFrame, modality: Modality, study: Path, folder: Path) -> None:
    """Write `folder`/contact.png or `folder`/examples.json from good manifest rows; the choice is random but fixed."""
    count = min(len(table), _ACROSS * _DOWN if modality == "image" else _TEXTS)
    chosen = table.iloc[sorted(random.Random(_SEED).sample(range(len(table)), count))]
    if modality == "image":
        _contact_sheet([study / path for path in chosen["path"]]).save(folder / "contact.png")
    else:
        write_json(folder / "examples.json", chosen[["text", "label"]].to_dict("records"))


def _contact_sheet(paths: list[Path]) -> Image.Image:
    down = -(-len(paths) // _ACROSS)
    sheet = Image.new("RGB", (_ACROSS * (_SIDE + _GAP) + _GAP, down * (_SIDE + _GAP) + _GAP), "white")
    for place, path in enumerate(paths):
        tile = ImageOps.pad(read_image(path), (_SIDE, _SIDE), color="white")
        row, column = divmod(place, _ACROSS)
        sheet.paste(tile, (_GAP + column * (_SIDE + _GAP), _GAP + row * (_SIDE + _GAP)))
    return sheet
