"""A study that runs in seconds, and copies of it after every step: a fault may strike anywhere, and cheaply."""

import contextlib
import os
import shutil
import signal
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

import yaml

from tests.conftest import CLASSES, PARAMS, _describe, _draw
from uml_pipeline import pipeline
from uml_pipeline.errors import explained
from uml_pipeline.model.folder import model_hash
from uml_pipeline.pipeline import render_yaml
from uml_pipeline.study import Study

QUICK = {
    "relevance": {"permutations": 99},
    "trunk": {
        "shots": [1],
        "seeds": 4,
        "exchange": {"splits": 0},
        "grid": {"steps": 20, "rates": [0.01], "scales": [10.0], "alphas": [1.0]},
    },
    "report": {"robustness": 0},
}
FAILED, REFUSED, HUNG = 3, 2, 4
PATIENCE = 60.0  # seconds


def make(folder: Path) -> Study:
    """Six classes of drawings and sentences about them; nothing has run."""
    _draw(folder / "data" / "drawings")
    _describe(folder / "data" / "descriptions.csv", CLASSES)
    silos = {name: PARAMS["silos"][name] for name in ("drawings", "descriptions")}
    params = {"target": "drawings", "silos": silos, "features": {}, **QUICK}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    (folder / "dvc.yaml").write_text(render_yaml(code=False))
    return Study(folder)


def run(folder: Path, steps: int | None = None) -> None:
    """The study, or its first steps alone."""
    study = Study(folder)
    ledger = pipeline.open_ledger(study)
    for step in pipeline.steps(ledger)[:steps]:
        pipeline.run_step(study, ledger, step)


def forked(work: Callable[[], object], log: Path) -> int:
    """Start `work` in a process of its own, which has imported everything already; its id, and its session's.

    It ends with 0, REFUSED after what a user is told plainly, or FAILED after any other error; `log` gets its words.
    """
    pid = os.fork()
    if pid:
        return pid
    code = FAILED
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a harness in the background was told to ignore it
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(out, 1)
        os.dup2(out, 2)
        work()
        code = 0
    except BaseException as error:
        told = explained(error)
        os.write(2, (f"error: {told}\n" if told else traceback.format_exc()).encode())
        code = REFUSED if told else FAILED
    finally:
        os._exit(code)


def ended(pid: int, patience: float = PATIENCE) -> int:
    """Exit code of a forked process; minus the signal's number where one ended it. One that hangs is ended: HUNG."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return HUNG


def end_orphans(session: int) -> None:
    """End what a forked process started and, killed, left behind."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)


def result(folder: Path) -> dict[str, str]:
    """What a study has made: every seal. Of the model its own hash: its card tells where it was made, as the report."""
    seals = {
        seal.parent.relative_to(folder).as_posix(): seal for seal in (folder / "artifacts").rglob("fingerprint.json")
    }
    told = ("artifacts/model", "artifacts/report")
    found = {name: seal.read_text() for name, seal in seals.items() if name not in told}
    return found | {"model": model_hash(folder / "artifacts" / "model")}


_LONG = 600.0  # seconds: nothing befalls it, but the machine may be busy


def snapshots(folder: Path) -> list[Path]:
    """Copies of the study before each step and after the last, each in a folder of the same name."""
    study = make(folder / "whole" / "study").folder
    found = list[Path]()
    for done in range(9):
        if done:
            log = folder / "whole.log"
            assert ended(forked(partial(run, study, done), log), _LONG) == 0, log.read_text()
        found.append(folder / f"after{done}" / "study")
        shutil.copytree(study, found[-1], symlinks=True)
    return found
