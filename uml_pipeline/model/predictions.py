"""Predictions as a table file: one row a sample, written as they come, there as a whole or not at all."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from uml_pipeline.errors import UserError
from uml_pipeline.model.drafts import drafted
from uml_pipeline.model.outcomes import Outcome
from uml_pipeline.model.unimodal import UnimodalModel

Append = Callable[[pd.DataFrame], None]
_FORMULA = (*"=+-@\t\r\n＝＋－＠", "'")  # what OWASP's "CSV Injection" names, and what marks them here
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def table(model: UnimodalModel, results: Sequence[tuple[str, Outcome]], top: int) -> pd.DataFrame:
    """Columns `sample`, `label`, `probability`, `label_2`, `probability_2`, … and `error`: why there is no label."""
    places = range(1, 1 + min(top, len(model.labels)))
    ends = ["" if place == 1 else f"_{place}" for place in places]
    rows = []
    for name, outcome in results:
        row: dict[str, Any] = {"sample": name}
        if isinstance(outcome, UserError):
            row["error"] = f"{outcome.what} ({outcome.where})"
        else:
            for end, (label, share) in zip(ends, model.best(outcome[None], len(ends))[0], strict=True):
                row |= {f"label{end}": label, f"probability{end}": share}
        rows.append(row)
    labels = {f"label{end}": "string" for end in ends}
    shares = {f"probability{end}": "float32" for end in ends}
    between = [name for pair in zip(labels, shares, strict=True) for name in pair]
    kinds = {"sample": "string", "error": "string"} | labels | shares
    return pd.DataFrame(rows, columns=["sample", *between, "error"]).astype(kinds)


@contextmanager
def writing(path: Path) -> Iterator[Append]:
    """Appends tables to a .parquet, .csv or .jsonl file that is there when the block ends well, and not before.

    Raises:
        UserError: another type of file, or no folder to write to.
    """
    append = _APPENDERS.get(path.suffix.lower())
    if append is None:
        raise UserError("no such type of table", where=str(path), fix=f"end its name with {', '.join(_APPENDERS)}")
    with drafted(path) as draft, append(draft) as one:
        yield one


@contextmanager
def _parquet(draft: Path) -> Iterator[Append]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer: Any = None

    def append(some: pd.DataFrame) -> None:
        nonlocal writer
        rows = pa.Table.from_pandas(some, preserve_index=False)
        writer = writer or pq.ParquetWriter(draft, rows.schema)
        writer.write_table(rows)

    try:
        yield append
    finally:
        if writer:
            writer.close()


@contextmanager
def _csv(draft: Path) -> Iterator[Append]:
    with draft.open("w", encoding="utf-8", newline="") as stream:

        def append(some: pd.DataFrame) -> None:
            names = [str(name) for name, kind in some.dtypes.items() if kind == "string"]
            texts = {name: some[name].map(_harmless, na_action="ignore") for name in names}
            # pandas leaves a lone carriage return bare, which readers take for the end of the row
            header = not stream.tell()
            some.assign(**texts).to_csv(stream, index=False, header=header, quoting=csv.QUOTE_NONNUMERIC)

        yield append


def _harmless(text: str) -> str:
    """What a spreadsheet would take for a formula, and what begins like ours, gets an apostrophe in front: whoever
    reads the file takes one away again.
    """
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


@contextmanager
def _json_lines(draft: Path) -> Iterator[Append]:
    with draft.open("w", encoding="utf-8") as stream:
        yield lambda some: some.to_json(stream, orient="records", lines=True, force_ascii=False)


_APPENDERS = {".parquet": _parquet, ".csv": _csv, ".jsonl": _json_lines}
