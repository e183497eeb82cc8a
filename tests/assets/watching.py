"""A real Dagster daemon in a scratch home, its sensor turned on."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg

from tests.assets.test_home import TEMPLATE
from uml_pipeline.study import Study

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PATIENCE = 240  # seconds until a run must have ended: a loaded machine needs far more than an idle one


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
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            runs = self.instance.get_runs()[::-1]
            assert self._process.poll() is None, self.log()
            assert not any(run.is_failure for run in runs), self.log()
            if len(runs) >= number and runs[number - 1].is_success:
                return self._made(runs[number - 1].run_id)
            time.sleep(0.5)
        raise AssertionError(f"no run {number} within {PATIENCE} seconds\n{self.log()}")

    def _made(self, run_id: str) -> dict[str, dg.AssetMaterialization]:
        records = self.instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
        made = [record.asset_materialization for record in records]
        return {one.asset_key.to_user_string(): one for one in made if one}

    def looks(self, count: int) -> None:
        """Wait until the sensor has looked that many times more."""
        start, deadline = len(self.ticks()), time.monotonic() + PATIENCE
        while len(self.ticks()) < start + count:
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.5)

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
