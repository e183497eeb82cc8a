"""Dagster for one study: a home that stays, and the process that serves it."""

import os
import shutil
import socket
import sys
from importlib.resources import as_file, files
from pathlib import Path

from uml_pipeline.errors import UserError
from uml_pipeline.start.project import FRONT_DOOR

_SUPERSEDED = "ignore:Function `dev_command`:FutureWarning"  # `dagster dev`, by a command for other projects than these
_PATIENCE = "600"  # seconds that a look at the silos may take


def serve(study: Path, port: int) -> None:
    """Become `dagster dev` of the study at `study`.

    Raises:
        UserError: another program listens at that port.
    """
    _require_free(port)
    print(f"Dagster will be at http://127.0.0.1:{port}; Ctrl-C ends it", flush=True)
    program = shutil.which("dagster", path=str(Path(sys.executable).parent)) or "dagster"
    names = [] if (study / "workspace.yaml").is_file() else ["-m", FRONT_DOOR]
    os.chdir(study)
    os.execve(program, [program, "dev", "-h", "127.0.0.1", "-p", str(port), *names], environment(study))


def _require_free(port: int) -> None:
    """Dagster would find out last, and end with pages of the others' farewells."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        fix = "choose another port, `uml ui --port 3001`, or end what listens there"
        raise UserError("the port cannot be had", where=f"127.0.0.1:{port}: {error.strerror}", fix=fix) from None


def environment(study: Path) -> dict[str, str]:
    """The variables by which Dagster finds the study, its home and this installation's programs; makes the home."""
    home = study / ".dagster"
    home.mkdir(exist_ok=True)
    if not (home / "dagster.yaml").exists():  # from then on it is the user's
        with as_file(files(FRONT_DOOR.partition(".")[0]) / "dagster.yaml") as template:
            shutil.copyfile(template, home / "dagster.yaml")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    found = {"DAGSTER_HOME": str(home), "UML_STUDY": str(study), "PATH": path}
    return {"DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS": _PATIENCE, "PYTHONWARNINGS": _SUPERSEDED} | os.environ | found
