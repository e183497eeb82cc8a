"""What was computed once from a sample's content, kept between runs: never a stage's output, always safe to delete."""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from uml_pipeline.workers import chunks

FOLDER = ".uml"
_AT_ONCE = 500  # keys of a query
_PATIENCE = 60.0  # seconds to wait for another process that writes


class Cache:
    """Bytes by key, in one SQLite file. What is written is there after a kill, whole or not at all; an entry that the
    disk has damaged counts as absent. Several processes and threads may use the same file.
    """

    def __init__(self, study: Path, name: str) -> None:
        """Open `study`/.uml/`name`.db, empty at first."""
        self._lock = Lock()
        path = study / FOLDER / f"{name}.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        (study / FOLDER / ".gitignore").write_text("*\n", encoding="utf-8")
        try:
            self._db = _open(path)
        except sqlite3.DatabaseError:  # not a database any more: it can all be computed again
            path.unlink()
            self._db = _open(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.close()

    def get(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The keys that are there, in the order asked for, each with its bytes; a few in memory at a time."""
        for some in chunks(keys, _AT_ONCE):
            with self._rows(some) as rows:
                found = {key: value for key, value, crc in rows if zlib.crc32(value) == crc}
            yield from ((key, found[key]) for key in some if key in found)

    def lacks(self, keys: Iterable[str]) -> Iterator[str]:
        """The keys that are not there, in the order asked for; values pass by one at a time."""
        for some in chunks(keys, _AT_ONCE):
            with self._rows(some) as rows:
                found = {key for key, value, crc in rows if zlib.crc32(value) == crc}
            yield from (key for key in some if key not in found)

    def put(self, entries: Iterable[tuple[str, bytes]]) -> None:
        """Write entries in one transaction: they are on disk when this returns."""
        with self._lock, self._db:
            rows = ((key, value, zlib.crc32(value)) for key, value in entries)
            self._db.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", rows)

    @contextmanager
    def _rows(self, keys: list[str]) -> Iterator[sqlite3.Cursor]:
        marks = ",".join("?" * len(keys))
        query = f"SELECT key, value, crc FROM entry WHERE key IN ({marks})"
        with self._lock, closing(self._db.execute(query, keys)) as rows:
            yield rows


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False)  # Cache has a lock
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value BLOB NOT NULL, crc INTEGER NOT NULL)")
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db
