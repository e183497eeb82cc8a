"""Dagster for one study: a home that stays, and the process that serves it."""

import os
import shutil
import sys
from importlib.resources import as_file, files
from pathlib import Path

from uml_pipeline.start.project import FRONT_DOOR

_PATIENCE = "600"  # seconds that a look at the silos may take


def serve(study: Path, port: int) -> None:
    """Become `dagster dev` of the study at `study`."""
    program = shutil.which("dagster", path=str(Path(sys.executable).parent)) or "dagster"
    names = [] if (study / "workspace.yaml").is_file() else ["-m", FRONT_DOOR]
    os.chdir(study)
    os.execve(program, [program, "dev", "-h", "127.0.0.1", "-p", str(port), *names], environment(study))


def environment(study: Path) -> dict[str, str]:
    """The variables by which Dagster finds the study, its home and this installation's programs; makes the home."""
    home = study / ".dagster"
    home.mkdir(exist_ok=True)
    if not (home / "dagster.yaml").exists():  # from then on it is the user's
        with as_file(files(FRONT_DOOR.partition(".")[0]) / "dagster.yaml") as template:
            shutil.copyfile(template, home / "dagster.yaml")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    found = {"DAGSTER_HOME": str(home), "UML_STUDY": str(study), "PATH": path}
    return {"DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS": _PATIENCE} | os.environ | found
