"""Files of JSON lines: one object a line."""

import json
from pathlib import Path
from typing import Any

_BOM = b"\xef\xbb\xbf"  # of UTF-8


def _integer(digits: str) -> int | float:
    """What does not fit into 64 bits is a float: no column can hold it otherwise."""
    number = int(digits)
    return number if abs(number) < 2**63 else float(digits)


_DECODER = json.JSONDecoder(parse_int=_integer)


def read_json_lines(file: Path) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """One object a line that is not blank; and the places of those that are none (they are empty then), and why.

    Raises:
        OSError: the file cannot be read.
        ValueError: no line is an object.
    """
    rows: list[dict[str, Any]] = []
    bad: dict[int, str] = {}
    with file.open("rb") as stream:
        for line in stream:
            if text := line.removeprefix(_BOM).strip():
                row = _object(text)
                if row is None:
                    bad[len(rows)] = "not a JSON object"
                rows.append(row or {})
    if bad and len(bad) == len(rows):
        raise ValueError("no line is a JSON object")
    return rows, bad


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        row = _DECODER.decode(line.decode())
        if b"\\u" in line:
            json.dumps(row, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
