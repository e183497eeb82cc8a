"""A real Dagster daemon in a scratch home, its sensor turned on."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from tests.assets.test_home import TEMPLATE
from uml_pipeline.study import Study

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PATIENCE = 300  # seconds until a run must have ended: a loaded machine needs far more than an idle one


class Daemon:
    """A daemon with the sensor turned on, and what its runs reported."""

    def __init__(self, study: Study, home: Path) -> None:
        shutil.copy(TEMPLATE, home)
        (home / "workspace.yaml").write_text((ROOT / "workspace.yaml").read_text().replace(": .", f": {ROOT}"))
        self._home, self._log = home, (home / "daemon.log").open("w")
        self._env = os.environ | {
            "DAGSTER_HOME": str(home), "UML_STUDY": str(study.folder), "UML_LOOK_SECONDS": "1", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        self.instance = dg.DagsterInstance.from_config(str(home))
        self._dagster("dagster", "sensor", "start", "silo_changes").wait(PATIENCE)
        self._process = self._dagster("dagster-daemon", "run")

    def _dagster(self, program: str, *words: str) -> subprocess.Popen:
        return subprocess.Popen(
            [BIN / program, *words, "-w", self._home / "workspace.yaml"],
            env=self._env, cwd=self._home, stdout=self._log, stderr=self._log, start_new_session=True,
        )  # fmt: skip

    def run(self, number: int) -> dict[str, dg.AssetMaterialization]:
        """What the `number`th run made, by asset, as soon as that run succeeded."""

        def succeeded() -> bool:
            runs = self.instance.get_runs()[::-1]
            assert len(runs) < number or not runs[number - 1].is_failure, self.log()
            return len(runs) >= number and runs[number - 1].is_success

        self._wait(succeeded)
        return self._made(number)

    def kill(self, number: int, after: str) -> dict[str, dg.AssetMaterialization]:
        """Kill the process of the `number`th run once it has made an asset; what it had made."""
        self._wait(lambda: len(self.instance.get_runs()) >= number and after in self._made(number))
        events = self.instance.all_logs(self._id(number), of_type=dg.DagsterEventType.ENGINE_EVENT)
        told = [event.dagster_event.engine_event_data.metadata for event in events if event.dagster_event]
        os.kill(next(int(str(facts["pid"].value)) for facts in told if "pid" in facts), signal.SIGKILL)
        return self._made(number)

    def looks(self, count: int) -> None:
        """Wait until the sensor has looked that many times more."""
        start = len(self.ticks())
        self._wait(lambda: len(self.ticks()) >= start + count)

    def _wait(self, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not until():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.5)

    def _id(self, number: int) -> str:
        return self.instance.get_runs()[-number].run_id

    def _made(self, number: int) -> dict[str, dg.AssetMaterialization]:
        kind = dg.DagsterEventType.ASSET_MATERIALIZATION
        records = self.instance.get_records_for_run(self._id(number), of_type=kind).records
        made = [record.asset_materialization for record in records]
        return {one.asset_key.to_user_string(): one for one in made if one}

    def ticks(self) -> list:
        (state,) = self.instance.all_instigator_state()
        return list(self.instance.get_ticks(state.instigator_origin_id, state.selector_id))

    def log(self) -> str:
        return (self._home / "daemon.log").read_text()[-5000:]

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # its code server and runs, should they be left
            self.instance.dispose()
            self._log.close()
