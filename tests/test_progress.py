"""A bar for those who watch, a line now and then for a log."""

import re
import time

import pytest

from uml_pipeline import progress as module
from uml_pipeline.progress import pace, progress, waiting


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> None:
    for switch in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(switch, raising=False)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.parametrize(
    ("count", "seconds", "left", "told"),
    [
        (60, 5.0, 480, "12/s, 0:00:40 left"),
        (2, 50.0, 3, "25 s each, 0:01:15 left"),
        (60, 5.0, None, "12/s"),
        (0, 5.0, 10, ""),
    ],
)
def test_how_fast_and_how_long(count: int, seconds: float, left: int | None, told: str) -> None:
    assert pace(count, seconds, left) == told


def test_a_log_gets_nothing_of_short_work(capfd: pytest.CaptureFixture[str], log: None) -> None:
    with progress("reading notes", 2) as advance, waiting("judging"):
        advance(1)
        advance(1)
    assert capfd.readouterr() == ("", "")


def test_a_log_gets_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], log: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 10.0, 40.0, 50.0, 80.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    with progress("encoding notes", 140, done=20) as advance:
        for _ in range(4):
            advance(20)
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "encoding notes: 60 of 140, 1 s each, 0:01:20 left",
        "encoding notes: 100 of 140, 1 s each, 0:00:40 left",
    ]
    assert printed.out == ""


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str], terminal: None) -> None:
    with progress("reading notes", 10) as advance:
        time.sleep(0.01)
        advance(5)
    shown = capsys.readouterr().err
    assert "reading notes" in shown
    assert re.search(r"5/10\S* .*\d+/s, 0:00:00 left", shown)
    with progress("training, steps", 4, unit="tokens") as advance:
        for _ in range(4):
            time.sleep(0.01)
            advance(1, 1000)
    shown = capsys.readouterr().err
    assert re.search(r"\d+,\d{3} tokens/s", shown)
    assert re.search(r"\d\.\d GiB", shown)
    with progress("training, steps", 4, unit="tokens", shown=False) as advance:
        advance(4, 1)
    assert capsys.readouterr().err == ""


def test_what_cannot_be_counted_is_named(capsys: pytest.CaptureFixture[str], terminal: None) -> None:
    with waiting("judging notes"):
        pass
    assert "judging notes" in capsys.readouterr().err
