"""CSV and Parquet tables as text, and the columns that every kind of silo may bring along: group and official split."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from uml_pipeline.errors import UserError
from uml_pipeline.silo.config import SiloConfig

SUFFIXES = (".csv", ".parquet")
_SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val"}
_SPLITS["test"] = "test"
Row = dict[str, Any]


def read_table(path: Path) -> pd.DataFrame:
    """All cells as text; what is absent is empty.

    Raises:
        UserError: the file is no such table.
    """
    try:
        if path.suffix.lower() == ".parquet":
            table = pd.read_parquet(path)
            table = table.astype(object).where(table.notna(), "").astype(str)
        else:
            table = pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False, encoding="utf-8-sig")
    except (ValueError, OSError) as error:  # pandas and pyarrow derive theirs from these
        fix = "save it again as UTF-8 CSV or as Parquet"
        raise UserError("the table cannot be read", where=f"{path}: {error}", fix=fix) from None
    return table.rename(columns=str)


def require(table: pd.DataFrame, path: Path, **wanted: str | None) -> None:
    """Check that each wanted column, by its role, is there (None: not wanted) and no column stands twice.

    Raises:
        UserError: naming the columns that exist.
    """
    for role, column in wanted.items():
        if column and column not in table:
            fix = f"the columns are: {', '.join(table.columns)}; name one of them, or add it"
            raise UserError(f"no {role} column {column!r}", where=str(path), fix=fix)
    for name, times in Counter(table.columns).items():
        if times > 1:
            raise UserError(f"column {name!r} stands twice", where=str(path), fix="keep one of them")


def side_facts(line: Mapping[Any, str], config: SiloConfig) -> Row:
    """Group and official split of one line, as far as there are such columns; an unknown split is `bad`."""
    row: Row = {}
    if config.group:
        row["group"] = line[config.group] or None
    if "split" in line:
        row["split"] = _SPLITS.get(line["split"].strip().lower())
        if not row["split"]:
            row["bad"] = "unknown split"
    return row
