"""A study's page: words by hand, and blocks between markers that `make studies` writes from results.json."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PAGE, RESULTS = "README.md", "results.json"
_BLOCK = "<!-- {name} -->\n{text}\n<!-- end -->"


def filled(page: str, blocks: Mapping[str, str]) -> str:
    """The page with every block as given.

    Raises:
        KeyError: the page has a block that is not given, or lacks one that is.
    """
    left = dict(blocks)

    def fill(found: re.Match[str]) -> str:
        return _BLOCK.format(name=found[1], text=left.pop(found[1]))

    done = re.sub(r"<!-- (\w+) -->\n.*?\n?<!-- end -->", fill, page, flags=re.DOTALL)
    if left:
        raise KeyError(f"the page has no place for {', '.join(left)}")
    return done


def read(folder: Path) -> dict[str, Any]:
    """The results that are committed, none if there are none yet: records by setting."""
    path = folder / RESULTS
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write(folder: Path, results: Mapping[str, Any]) -> None:
    """As they are committed: numbers to three digits after the point, so that a second run changes what it measured."""
    text = json.dumps(_rounded(results), indent=1, ensure_ascii=False)
    (folder / RESULTS).write_text(text + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, Mapping):
        return {str(key): _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value
