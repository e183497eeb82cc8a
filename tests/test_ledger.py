"""DVC's record, after a process that was stopped at the wrong moment."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.faults.strikes import flip
from uml_pipeline import pipeline
from uml_pipeline.errors import UserError
from uml_pipeline.ledger import Ledger
from uml_pipeline.pipeline import Outcome, Step
from uml_pipeline.study import Study
from uml_pipeline.workspace import unlike_seal

STEP = Step("silo", "descriptions")


@pytest.mark.parametrize("left", ["", '{"write": {}, "read": {"/data": [{"pid": 1, "c'], ids=["empty", "half-written"])
def test_a_list_of_readers_that_was_cut_short_stops_nobody(tiny_study: Study, left: str) -> None:
    Ledger(tiny_study.folder)  # makes the folder .dvc
    (tiny_study.folder / ".dvc" / "tmp" / "rwlock").write_text(left)
    ledger = Ledger(tiny_study.folder)
    assert pipeline.run_step(tiny_study, ledger, STEP) is Outcome.DONE
    assert pipeline.run_step(tiny_study, ledger, STEP) is Outcome.UNCHANGED


def test_a_sound_list_of_readers_is_left_alone(tiny_study: Study) -> None:
    Ledger(tiny_study.folder)
    path = tiny_study.folder / ".dvc" / "tmp" / "rwlock"
    path.write_text(json.dumps({"write": {}, "read": {"/data": [{"pid": os.getpid(), "cmd": "uml run"}]}}))
    before = path.read_text()
    Ledger(tiny_study.folder)
    assert path.read_text() == before


def test_whoever_is_at_a_step_is_waited_for_and_named(tiny_study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    ledger, outcomes = Ledger(tiny_study.folder), list[Outcome]()
    with subprocess.Popen(["sleep", "60"]) as other:
        busy = {str(tiny_study.folder / "artifacts/silo/descriptions"): {"pid": other.pid, "cmd": "dvc repro"}}
        path = tiny_study.folder / ".dvc" / "tmp" / "rwlock"
        path.write_text(json.dumps({"write": busy, "read": {}}))
        runner = threading.Thread(target=lambda: outcomes.append(pipeline.run_step(tiny_study, ledger, STEP)))
        runner.start()
        runner.join(timeout=2)
        assert runner.is_alive(), "the step is not run while another process writes its output"
        other.kill()
    runner.join(timeout=60)
    assert outcomes == [Outcome.DONE]
    assert f"waiting for another run: (PID {other.pid}): dvc repro" in capsys.readouterr().err


def test_what_another_process_recorded_meanwhile_is_not_done_again(tiny_study: Study) -> None:
    early, late = Ledger(tiny_study.folder), Ledger(tiny_study.folder)
    assert pipeline.run_step(tiny_study, late, STEP) is Outcome.DONE
    assert pipeline.run_step(tiny_study, early, STEP) is Outcome.UNCHANGED


@pytest.mark.slow
def test_two_runs_at_once_do_each_step_once(tiny_study: Study) -> None:
    command = [Path(sys.executable).parent / "uml", "run", "--study", tiny_study.folder]
    Ledger(tiny_study.folder)  # makes .dvc, so that both find the same one
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [run.communicate() for run in runs]
    assert [run.returncode for run in runs] == [0, 0], told
    states = [state for out, _ in told for state in re.findall(r"^  (done|unchanged|restored)$", out, re.M)]
    assert (states.count("done"), len(states)) == (10, 20), told
    assert all(pipeline.status(tiny_study).values())


def test_a_damaged_entry_of_the_cache_is_not_restored_but_made_again(tiny_study: Study) -> None:
    """DVC believes an entry that is write-protected, as all are."""
    folder = tiny_study.folder / "artifacts" / STEP.stage / "descriptions"
    pipeline.run_step(tiny_study, Ledger(tiny_study.folder), STEP)
    digest = hashlib.md5((folder / "quality.json").read_bytes()).hexdigest()
    flip(tiny_study.folder / ".dvc/cache/files/md5" / digest[:2] / digest[2:], bit=100)
    for outcome in (Outcome.DONE, Outcome.RESTORED):
        shutil.rmtree(folder)
        assert pipeline.run_step(tiny_study, Ledger(tiny_study.folder), STEP) is outcome
        assert unlike_seal(folder) == {}


def test_settings_of_dvc_that_it_cannot_read_are_named(tiny_study: Study) -> None:
    Ledger(tiny_study.folder)
    (tiny_study.folder / ".dvc" / "config").write_text("[core]\n    no_scn = True\n")
    with pytest.raises(UserError, match="settings") as refused:
        Ledger(tiny_study.folder)
    assert ".dvc/config" in refused.value.where
