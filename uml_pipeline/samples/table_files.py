"""Table files: CSV, TSV, Parquet and JSON lines, each to the same thing."""

import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from uml_pipeline.errors import UserError
from uml_pipeline.samples.container import Entry
from uml_pipeline.samples.json_lines import read_json_lines
from uml_pipeline.silo.config import Format, SiloConfig

# In cells; but in labels, groups and texts they are words.
_MISSING = ["", "#N/A", "#NA", "<NA>", "N/A", "n/a", "NA", "NaN", "nan", "None", "NULL", "null"]
_INDEX = "__index_level_"  # pandas's name in Parquet for its row numbers


@dataclass(frozen=True)
class Table:
    """What was read of a table file."""

    names: list[str]
    """Of all columns in the file."""
    frame: pd.DataFrame
    """The columns that were asked for, those that exist; missing cells are NA."""
    bad: dict[int, str] = field(default_factory=dict)
    """Rows that could not be read, and why; all their cells are missing."""

    def words(self, column: str) -> list[str]:
        """A column as text; what is missing is empty."""
        cells = self.frame[column].astype(object)
        return cells.where(cells.notna(), "").map(str).tolist()


def read_table(file: Path, kind: Format, words: Collection[str], *, cells: bool) -> Table:
    """The columns `words`, and with `cells` all others: numbers where a CSV file has nothing else in a column, else
    text. `file` may be a UPath.

    Raises:
        UserError: the file is no such table, or a column stands twice.
    """
    import pyarrow as pa

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # of cells that it would drop
            if kind == "parquet":
                return _parquet(file, words, cells=cells)
            if kind == "jsonl":
                return _json_lines(file)
            return _csv(file, "\t" if kind == "tsv" else ",", words, cells=cells)
    except pd.errors.EmptyDataError:
        fix = "fill it: a first line that names the columns, then one line a sample"
        raise UserError("the table is empty", where=str(file), fix=fix) from None
    except (ValueError, OSError, MemoryError, pd.errors.ParserWarning, pa.ArrowException) as error:
        fix = "save it again as UTF-8 CSV, JSON lines or Parquet"
        raise UserError("the table cannot be read", where=f"{file}: {error}", fix=fix) from None


def require(table: Table, file: Path, wanted: Iterable[tuple[str, str | None]]) -> None:
    """Check that each wanted column, with its role, is there (None: not wanted).

    Raises:
        UserError: naming the columns that exist.
    """
    for role, column in wanted:
        if column and column not in table.names:
            fix = f"the columns are: {', '.join(table.names)}; name one of them, or add it"
            raise UserError(f"no {role} column {column!r}", where=str(file), fix=fix)


def sides(table: Table, config: SiloConfig) -> dict[str, list[str]]:
    """Label, group and official split of all rows, as far as there are such columns; what is missing is empty."""
    columns = {"label": config.label, "group": config.group, "split": "split"}
    return {part: table.words(column) for part, column in columns.items() if column in table.names}


def row_entries(table: Table, config: SiloConfig) -> Iterator[Entry]:
    """What a table says of each of its rows, in order, but for the sample itself."""
    parts = sides(table, config)
    for row in range(len(table.frame)):
        entry: Entry = {part: words[row] for part, words in parts.items()}
        yield entry | {"bad": table.bad[row]} if row in table.bad else entry


def _csv(file: Path, separator: str, words: Collection[str], *, cells: bool) -> Table:
    form: dict[str, Any] = {"sep": separator, "encoding": "utf-8-sig", "keep_default_na": False}
    with file.open("rb") as stream:
        header = pd.read_csv(stream, header=None, nrows=1, dtype=str, **form)
    names = [name or f"Unnamed: {place}" for place, name in enumerate(header.iloc[0])]  # as pandas calls them
    _distinct(names, file)
    others = [name for name in names if name not in words] if cells else []
    kinds: Any = dict.fromkeys((name for name in names if name not in others), str)
    missing: Any = dict.fromkeys(others, _MISSING)
    with file.open("rb") as stream:  # index_col: a last comma on every line does not shift the columns
        frame = pd.read_csv(
            stream,
            dtype=kinds,
            na_values=missing,
            index_col=False,
            low_memory=False,  # a column's type by all of it
            dtype_backend="numpy_nullable",
            **form,
        )
    return Table(names, frame)


def _parquet(file: Path, words: Collection[str], *, cells: bool) -> Table:
    import pyarrow.parquet as pq

    with file.open("rb") as stream:
        names = [name for name in pq.read_schema(stream).names if not name.startswith(_INDEX)]
    _distinct(names, file)
    wanted = [name for name in names if cells or name in words]
    with file.open("rb") as stream:
        content = pq.read_table(stream, columns=wanted)
    content.validate(full=True)  # that text is UTF-8, for one
    return Table(names, content.to_pandas(types_mapper=_whole_numbers().get, ignore_metadata=True))


def _whole_numbers() -> dict[Any, Any]:
    """Arrow's types for which pandas has others than usual, so that a missing cell leaves 1 and true as they are."""
    import pyarrow as pa

    names = [f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)]
    kinds = {pa.type_for_alias(name.lower()): pd.api.types.pandas_dtype(name) for name in names}
    return kinds | {pa.bool_(): pd.BooleanDtype()}


def _json_lines(file: Path) -> Table:
    rows, bad = read_json_lines(file)
    frame = pd.DataFrame(rows, dtype=object).convert_dtypes()
    return Table([str(name) for name in frame], frame, bad)


def _distinct(names: list[str], file: Path) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise UserError(f"column {name!r} stands twice", where=str(file), fix="keep one of them")
