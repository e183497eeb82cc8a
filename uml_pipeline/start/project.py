"""A new study's files: params.yaml, dvc.yaml, workspace.yaml, what git and DVC ignore; and both of them set up."""

import logging
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml

from uml_pipeline.errors import UserError
from uml_pipeline.pipeline import render_yaml
from uml_pipeline.silo.config import DEFAULT_ENCODERS, Modality
from uml_pipeline.start.guess import Keys, guess, name_of
from uml_pipeline.study import PARAMS

FRONT_DOOR = "uml_pipeline_dagster.definitions"
"""Where the installed library has Dagster's definitions: assets/ of its repository."""
_IGNORED = "/artifacts/\n/.dagster/\n/.uml/\n/registry/\n__pycache__/\n"
_EMPTY = {"text": "text,label\n", "table": "label\n"}  # header of a table that is still to be filled
_HEAD = "# The study. `uml check` looks at it, `uml run` runs it; a typo is answered with the line.\n"
_SECTIONS = """\
features: {engine: local} # local | ray
relevance: {policy: exclude} # exclude | block | warn: what becomes of a silo that surely does not help
trunk: {mode: probe, shots: [1, 2, 4], seeds: 20} # probe | finetune | ssl
report: {}
"""


@dataclass(frozen=True)
class Wanted:
    """A silo as it was asked for: `path`, `name=path`, or `name=modality` where the data are still to come."""

    name: str
    path: str
    modality: str | None = None

    @classmethod
    def parse(cls, said: str) -> "Wanted":
        """From a word on the command line.

        Raises:
            UserError: nothing on one side of the `=`.
        """
        name, mark, rest = said.partition("=")
        if not mark:
            return cls(name_of(said), said)
        if not name or not rest:
            raise UserError(f"{said!r} is no silo", where="uml init", fix="write PATH, NAME=PATH or NAME=MODALITY")
        if rest in get_args(Modality):
            return cls(name, f"data/{name}.csv" if rest in _EMPTY else f"data/{name}", rest)
        return cls(name, rest)

    def keys(self, folder: Path) -> Keys:
        """The silo's section of params.yaml.

        Raises:
            UserError: what lies at the path is not recognised.
        """
        found = {"modality": self.modality, "path": self.path} if self.modality else guess(self.path, folder)
        return found | {"encoder": DEFAULT_ENCODERS[found["modality"]]}


def create(folder: Path, target: Wanted, others: list[Wanted], *, git: bool) -> list[Path]:
    """Write a new study; what is there already, but for params.yaml, stays as it is.

    Returns:
        what was written.

    Raises:
        UserError: the folder is a study already, a name stands twice, or a silo is not recognised: nothing is written.
    """
    require_new(folder)
    silos = dict[str, Keys]()
    for one in (target, *others):
        if one.name in silos:
            raise UserError(f"two silos are called {one.name!r}", where="uml init", fix="name them: NAME=PATH")
        silos[one.name] = one.keys(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made = [_make(folder, one) for one in (target, *others) if one.modality]
    files = {
        PARAMS: _params(target.name, silos),
        "dvc.yaml": render_yaml(code=False),
        "workspace.yaml": yaml.safe_dump({"load_from": [{"python_module": {"module_name": FRONT_DOOR}}]}),
        ".gitignore": _IGNORED,
    }
    written = [folder / name for name in files if not (folder / name).exists()]
    for path in written:
        path.write_text(files[path.name], encoding="utf-8")
    _versions(folder, git=git)
    return [*(path for path in made if path), *written]


def require_new(folder: Path) -> None:
    """Refuse what is a study already.

    Raises:
        UserError: it is.
    """
    if (folder / PARAMS).exists():
        fix = "edit it, or choose another folder: `uml init FOLDER`"
        raise UserError("this is a study already", where=str(folder / PARAMS), fix=fix)


def _params(target: str, silos: Mapping[str, Keys]) -> str:
    body = yaml.safe_dump({"target": target, "silos": dict(silos)}, sort_keys=False, allow_unicode=True)
    return _HEAD + body + _SECTIONS


def _make(folder: Path, silo: Wanted) -> Path | None:
    """A place for data that are still to come."""
    path = folder / silo.path
    if path.exists():
        return None
    if header := _EMPTY.get(silo.modality or ""):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(header, encoding="utf-8")
    else:
        path.mkdir(parents=True)
    return path


def _versions(folder: Path, *, git: bool) -> None:
    """A git repository unless the folder is in one, and DVC's beside it."""
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo

    logging.getLogger("dvc").setLevel(logging.WARNING)  # its welcome is for those who typed `dvc init`
    program = shutil.which("git") if git else None
    if program and not _inside(program, folder):
        subprocess.run([program, "init", "--quiet", str(folder)], check=True)
    try:
        Repo(str(folder)).close()
    except NotDvcRepoError:
        in_git = program is not None
        options: dict[str, Any] = {"no_scm": not in_git, "subdir": in_git and not (folder / ".git").exists()}
        Repo.init(str(folder), **options).close()


def _inside(program: str, folder: Path) -> bool:
    asked = [program, "-C", str(folder), "rev-parse", "--is-inside-work-tree"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0
