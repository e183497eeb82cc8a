"""How facts look in the UI: tables, pictures and Markdown as metadata.

Words from a study's data go into tables, whose cells Dagster escapes. In Markdown they stand as `code`; the description
of a check's result is Markdown, too, and takes them `plain`.
"""

import base64
import re
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


def accuracies(runs: Iterable[Mapping[str, Any]], labels: Mapping[str, str]) -> dg.TableMetadataValue | None:
    """Accuracy in percent: a row a method, a column a number of shots; 0 is the method that needs no sample."""
    rows: dict[str, dict[str, Any]] = {}
    for run in sorted(runs, key=lambda run: run["shots"]):
        row = rows.setdefault(run["method"], {"method": labels[run["method"]]})
        row[f"{run['shots']} a class"] = f"{run['mean']:.1f} ± {run['std']:.1f}"
    columns = dict.fromkeys(name for row in rows.values() for name in row)
    return table(rows.values(), columns)


def gains(found: Iterable[Mapping[str, Any]], labels: Mapping[str, str]) -> dg.TableMetadataValue | None:
    """Paired differences with their intervals; by shots, the largest first."""
    ordered = sorted(found, key=lambda gain: (gain["shots"], -gain["mean"]))
    rows = [
        {
            "samples a class": gain["shots"],
            "method": labels[gain["method"]],
            "against": labels[gain["against"]],
            "gain": interval(gain["mean"], gain["low"], gain["high"]),
        }
        for gain in ordered
    ]
    return table(rows, ["samples a class", "method", "against", "gain"])


def pictures(paths: Iterable[Path]) -> dg.MarkdownMetadataValue | None:
    """Pictures inside the page, one below the other; None if there is none of a size to embed."""
    shown = [_embedded(path) for path in paths if path.suffix in KINDS and path.stat().st_size <= LARGEST]
    return dg.MetadataValue.md("\n\n".join(shown)) if shown else None


def drawing(svg: str, name: str) -> dg.MarkdownMetadataValue:
    """A figure that was drawn for the UI alone."""
    return dg.MetadataValue.md(_carrying(svg.encode(), ".svg", name))


def _embedded(path: Path) -> str:
    return _carrying(path.read_bytes(), path.suffix, path.stem)


def _carrying(content: bytes, suffix: str, name: str) -> str:
    """Markdown that carries the picture's bytes."""
    return f"![{name}](data:image/{KINDS[suffix]};base64,{base64.b64encode(content).decode()})"


def code(text: str) -> str:
    """Somebody's words inside Markdown: literal, whatever they look like, and on one line."""
    line = " ".join(text.split()) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}"


def plain(text: str) -> str:
    """Sentences with somebody's words in them, none of which is markup in Markdown: no picture is fetched."""
    return re.sub(r"([\\`*_\[\]<>&~])", r"\\\1", " ".join(text.split()))


def link(key: dg.AssetKey) -> str:
    """The asset's page; keys are made of silos' names, which are identifiers."""
    return f"[{key.to_user_string()}](/assets/{'/'.join(key.path)})"


def interval(mean: float, low: float, high: float) -> str:
    """A gain in points with its 95% interval."""
    return f"{mean:+.1f} points ({low:+.1f} to {high:+.1f})".replace("-", "\N{MINUS SIGN}")


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
