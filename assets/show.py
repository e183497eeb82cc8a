"""How facts look in the UI: tables and pictures as metadata."""

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

LARGEST = 1_000_000  # bytes of a picture: every event keeps its own copy
KINDS = {".png": "png", ".jpg": "jpeg", ".svg": "svg+xml"}


def table(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> dg.TableMetadataValue | None:
    """The named columns of some records; None for no record, which Dagster cannot show."""
    names = list(columns)
    records = [dg.TableRecord({name: _cell(row.get(name)) for name in names}) for row in rows]
    return dg.MetadataValue.table(records, _schema(names, records)) if records else None


def pictures(paths: Iterable[Path]) -> dg.MarkdownMetadataValue | None:
    """Pictures inside the page, one below the other; None if there is none of a size to embed."""
    shown = [_embedded(path) for path in paths if path.suffix in KINDS and path.stat().st_size <= LARGEST]
    return dg.MetadataValue.md("\n\n".join(shown)) if shown else None


def _embedded(path: Path) -> str:
    """Markdown that carries the picture's bytes."""
    return f"![{path.stem}](data:image/{KINDS[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()})"


def short(number: float | None) -> float | None:
    """Four digits that count: enough to compare."""
    return None if number is None else float(f"{number:.4g}")


def _cell(value: Any) -> str | int | float | bool | None:
    """Short numbers; anything Dagster has no cell for, as text."""
    if isinstance(value, float):
        return short(value)
    return value if value is None or isinstance(value, str | int) else str(value)


def _schema(names: list[str], records: list[dg.TableRecord]) -> dg.TableSchema:
    """Column types, so that numbers are set as numbers; a column of several types is text."""
    known = {bool: "bool", int: "int", float: "float"}

    def kind(name: str) -> str:
        types = {type(record.data[name]) for record in records}
        return known.get(types.pop(), "string") if len(types) == 1 else "string"

    return dg.TableSchema([dg.TableColumn(name, kind(name)) for name in names])
