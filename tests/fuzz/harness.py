"""Read damaged input: it is read, or refused in words; no other error, no hang."""

import random
import signal
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fuzz.corpus import Kind
from tests.fuzz.mutate import mutated
from uml_pipeline.errors import UserError
from uml_pipeline.silo.measure import Measured

SECONDS = 10  # that one input may take
READ, REFUSED, BROKEN = "read", "refused", "broken"


def fuzz(kind: Kind, first: int, count: int) -> tuple[Counter[str], list[str]]:
    """Damage number `first` and those that follow: how many were read, refused or broke it; and what broke it, how."""
    ends, broken = Counter[str](), list[str]()
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(scratch) / kind.file
        file.parent.mkdir(parents=True, exist_ok=True)
        for seed in range(first, first + count):
            file.write_bytes(mutated(kind.sound, random.Random(f"{kind.name} {seed}")))
            try:
                with _hurried():
                    found = kind.read(Path(scratch))
                ends[REFUSED if isinstance(found, Measured) and found.facts.get("bad") else READ] += 1
            except UserError as error:
                assert error.what
                ends[REFUSED] += 1
            except Exception:
                ends[BROKEN] += 1
                broken.append(f"{kind.name}, damage {seed}:\n{traceback.format_exc()}")
    return ends, broken


@contextmanager
def _hurried() -> Iterator[None]:
    def ring(number: int, frame: object) -> None:
        raise TimeoutError(f"not read within {SECONDS} seconds")

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
