"""Files that are there as a whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uml_pipeline.errors import UserError


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """A file to write in the block: it becomes `path` if the block ends well, else it vanishes. It keeps the suffix.

    Raises:
        UserError: there is no such folder.
    """
    if not path.parent.is_dir():
        raise UserError("no such folder", where=str(path.parent), fix="make it first")
    draft = path.with_name(f".{os.getpid()}.draft.{path.name}")
    try:
        yield draft
        with draft.open("rb") as stream:
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
