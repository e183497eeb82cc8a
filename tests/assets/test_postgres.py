"""PostgreSQL as the template has it: a real server in a scratch folder, a run whose events are read back from it."""

import os
import shutil
import socket
import subprocess
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from assets.definitions import build
from tests.assets.test_home import TEMPLATE
from uml_pipeline.study import Study

PLACES = [*os.environ["PATH"].split(os.pathsep), *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
PASSWORD = "only here"


@pytest.fixture
def programs() -> Path:
    """Where PostgreSQL's programs are. Skips where there are none, unless UML_POSTGRES=required, as .ci/run has it."""
    found = shutil.which("initdb", path=os.pathsep.join(PLACES))
    if found is None:
        missing = "no PostgreSQL is installed: apt-get install postgresql"
        pytest.fail(missing) if os.environ.get("UML_POSTGRES") == "required" else pytest.skip(missing)
    return Path(found).parent


@pytest.fixture
def server(programs: Path) -> Iterator[int]:
    """The port of a server that is gone after the test. It refuses to be run by root, so then `nobody` runs it."""
    user = "nobody" if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp())  # pytest's own folder is closed to others
    if user:
        shutil.chown(folder, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(program: str, *words: str) -> None:
        subprocess.run([programs / program, "-D", folder / "db", *words], cwd=folder, user=user, check=True)

    secret = folder / "password"
    secret.write_text(PASSWORD)
    run("initdb", "--username=uml", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync")
    run(
        "pg_ctl", "start", "--wait", f"--log={folder / 'log'}", f"-o-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    )
    yield port
    run("pg_ctl", "stop", "--mode=immediate")
    shutil.rmtree(folder)


@pytest.fixture
def home(server: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DAGSTER_HOME in which the template's lines about PostgreSQL count."""
    general, _, storage = TEMPLATE.read_text().partition("# storage:")
    block = "".join(line.removeprefix("# ") for line in f"# storage:{storage}".splitlines(keepends=True))
    (tmp_path / "dagster.yaml").write_text(general + textwrap.dedent(block))
    known = {"USER": "uml", "PASSWORD": PASSWORD, "HOST": "127.0.0.1", "PORT": str(server), "DB": "postgres"}
    for name, value in known.items():
        monkeypatch.setenv(f"UML_POSTGRES_{name}", value)
    return tmp_path


@pytest.mark.slow
def test_events_are_in_the_database(home: Path, study: Study) -> None:
    (study.folder / "dvc.yaml").write_text("stages:\n  get-raw:\n    cmd: echo raw > raw.csv\n    outs: [raw.csv]\n")
    key = dg.AssetKey(["data", "get_raw"])
    with dg.DagsterInstance.from_config(str(home)) as instance:
        done = build(study).resolve_job_def("everything").execute_in_process(instance=instance, asset_selection=[key])
        assert done.success
    with dg.DagsterInstance.from_config(str(home)) as instance:
        event = instance.get_latest_materialization_event(key)
        run = instance.get_run_by_id(done.run_id)
    assert event and event.run_id == done.run_id
    assert run and run.is_success
    assert not list(home.rglob("*.db"))  # nothing of it in SQLite
