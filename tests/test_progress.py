"""A bar for those who watch, nothing for a log."""

import re
import time

import pytest

from uml_pipeline.progress import progress


def work() -> None:
    with progress("reading notes", 2) as advance:
        advance(1)
        advance(1)


def test_a_log_gets_nothing(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for switch in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(switch, raising=False)
    work()
    assert capfd.readouterr() == ("", "")


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    work()
    assert "reading notes" in capsys.readouterr().err
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
