"""One bit flipped in a file of every kind, one kind after the other: `python -m tests.faults.bits`.

Each study is run again and has to be whole, or else to be refused in words that name the file.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import yaml

from tests.faults import micro
from tests.faults.harness import Harness
from tests.faults.strikes import flip


def kinds(study: Path) -> dict[str, Path]:
    """A file of every kind that a study makes, by its place; and DVC's record, its settings, its notes on runs."""
    artifacts = {_kind(path.relative_to(study / "artifacts")): path for path in _files(study / "artifacts")}
    databases = {f".uml/{path.name}": path for path in _files(study / ".uml")}
    note = _files(study / ".dvc/cache/runs")[0]
    dvc = {"dvc.lock": study / "dvc.lock", ".dvc/config": study / ".dvc/config", "DVC's note on a run": note}
    return artifacts | databases | dvc


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size]


def _kind(place: Path) -> str:
    """Of the artifacts of several silos, one counts."""
    return f"{place.parts[0]}/{place.name}"


def cached(study: Path) -> dict[str, tuple[Path, Path]]:
    """For every output that DVC keeps: its folder, and its list and its first file in the cache."""
    found, objects = {}, study / ".dvc/cache/files/md5"
    for name, stage in yaml.safe_load((study / "dvc.lock").read_text())["stages"].items():
        out = stage["outs"][0]
        index = objects / out["md5"][:2] / out["md5"][2:]
        first = yaml.safe_load(index.read_text())[-1]["md5"]
        found[f"cache, list of {name}"] = (study / out["path"], index)
        found[f"cache, file of {name}"] = (study / out["path"], objects / first[:2] / first[2:])
    return found


def main() -> None:
    """Flip, run, compare, and print; ends with 1 if anything was neither mended nor refused by name."""
    with tempfile.TemporaryDirectory() as folder:
        harness = Harness(Path(folder))
        failed = [name for name in [*kinds(harness.whole), *cached(harness.whole)] if not _mended(harness, name)]
    print("not mended:", failed)
    sys.exit(bool(failed))


def _mended(harness: Harness, name: str) -> bool:
    scratch = harness.whole.parent.parent / "flipped"
    study, log = scratch / "study", scratch / "log"
    shutil.copytree(harness.whole, study, symlinks=True)
    if name.startswith("cache"):
        made, path = cached(study)[name]
        shutil.rmtree(made)  # so that the cache is asked for it
    else:
        path = kinds(study)[name]
    flip(path, 4 * path.stat().st_size)  # in the middle
    code = micro.ended(micro.forked(lambda: micro.run(study), log))
    wrong = [] if code else harness.wrong(study)
    said = log.read_text()
    shutil.rmtree(scratch)
    if code == 0 and not wrong:
        print(f"{name}: mended", flush=True)
    elif code == micro.REFUSED and path.name in said:
        print(f"{name}: refused", flush=True)
    else:
        print(f"{name}: {code} {wrong}\n{said}", flush=True)
        return False
    return True


if __name__ == "__main__":
    main()
