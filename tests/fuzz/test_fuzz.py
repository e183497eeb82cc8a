"""Some damaged inputs of every kind; `make fuzz` reads more than ten thousand."""

from pathlib import Path

import pytest

from tests.fuzz import corpus, models
from tests.fuzz.corpus import Kind
from tests.fuzz.harness import fuzz

KINDS = [*corpus.kinds(), *models.kinds()]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damaged_input_is_read_or_refused_in_words(kind: Kind) -> None:
    ends, broken = fuzz(kind, 0, 25)
    assert not broken, broken[0]
    assert ends.total() == 25


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_sound_input_is_read(kind: Kind, tmp_path: Path) -> None:
    """Else it would not be for the damage that the others are refused."""
    file = tmp_path / kind.file
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(kind.sound)
    kind.read(tmp_path)
