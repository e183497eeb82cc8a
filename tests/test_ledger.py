"""DVC's record, after a process that was stopped at the wrong moment."""

import json
import os

import pytest

from uml_pipeline import pipeline
from uml_pipeline.ledger import Ledger
from uml_pipeline.pipeline import Outcome, Step
from uml_pipeline.study import Study

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
