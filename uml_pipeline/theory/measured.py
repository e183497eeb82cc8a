"""Measured accuracies over a grid of target and auxiliary samples, from a CSV file."""

from pathlib import Path

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.theory.surface import Surface, fit_surface

COLUMNS = ["target", "auxiliary", "accuracy"]


def read_surface(path: Path) -> Surface:
    """The plane through the file's accuracies.

    Raises:
        UserError: the file cannot be read, lacks a column, holds something else than numbers, or determines no plane.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        fix = f"name a CSV file with the columns {', '.join(COLUMNS)}"
        raise UserError("the accuracies cannot be read", where=f"{path}: {reason}", fix=fix) from None
    if missing := [column for column in COLUMNS if column not in table]:
        fix = f"name the columns {', '.join(COLUMNS)} in the first line"
        raise UserError(f"no column {missing[0]!r}", where=str(path), fix=fix)
    numbers = table[COLUMNS].apply(pd.to_numeric, errors="coerce").astype("float64").to_numpy()
    if (bad := ~np.isfinite(numbers)).any():
        row, column = np.argwhere(bad)[0]
        where = f"{path}, row {row + 1} below the heading, column {COLUMNS[column]}"
        raise UserError("not a number", where=where, fix="write a number, or remove the row")
    draw = table["draw"].astype(str).to_numpy(dtype=str) if "draw" in table else None
    try:
        return fit_surface(numbers[:, 0], numbers[:, 1], numbers[:, 2], draw)
    except ValueError as error:
        fix = (
            "measure a grid: several numbers of target samples times several of auxiliary samples, drawn twice or more"
        )
        raise UserError(f"no exchange rate: {error}", where=str(path), fix=fix) from None
