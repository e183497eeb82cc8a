"""DVC as the one record of what was made from what: dvc.yaml's graph, dvc.lock's hashes."""

import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uml_pipeline.errors import UserError

if TYPE_CHECKING:
    from dvc.stage import PipelineStage

_PAUSE = 0.5  # seconds between two tries at a lock
os.environ.setdefault("DVC_NO_ANALYTICS", "1")
# a stage's command is `uml …`: found whether or not the virtual environment is activated
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


class Ledger:
    """The DVC stages of one study's folder. Steps are named as DVC does: `trunk`, `silo@drawings`."""

    def __init__(self, folder: Path) -> None:
        """Open the DVC repository around `folder`, or make one there (without git) if there is none.

        Raises:
            UserError: no dvc.yaml in the folder, or DVC cannot read it or its own settings.
        """
        from dvc.config import ConfigError
        from dvc.exceptions import DvcException, NotDvcRepoError
        from dvc.repo import Repo

        logging.getLogger("dvc").setLevel(
            logging.WARNING
        )  # "Updating lock file" after every step tells nobody anything
        self._file = folder / "dvc.yaml"
        if not self._file.is_file():
            raise UserError("this study has no dvc.yaml", where=str(folder), fix="write one: `uml graph > dvc.yaml`")
        try:
            self._repo = Repo(str(folder))
        except NotDvcRepoError:
            self._repo = Repo.init(str(folder), no_scm=True)
        except ConfigError as error:
            raise UserError(
                "DVC cannot read its settings", where=f".dvc/config: {error}", fix="correct them: `dvc config --list`"
            ) from None
        self._mend()
        self._record = folder / "dvc.lock"
        try:
            self._stages = self._collect()
        except DvcException as error:
            raise UserError(
                "DVC cannot read the graph", where=f"{self._file}: {error}", fix="compare with `uml graph`"
            ) from None
        except ImportError as error:  # a silo's URL
            fix = "for s3://: pip install 'uml-pipeline[s3]'; for others: `dvc-gs`, `dvc-azure`, …"
            raise UserError("DVC lacks a file system", where=f"{self._file}: {error}", fix=fix) from None

    def _mend(self) -> None:
        """Remove DVC's list of who reads and writes what (`rwlock`) if it was cut short.

        A process that is stopped while it writes the list leaves half of it, and DVC refuses to work ever after.
        """
        from dvc.lock import make_lock

        tmp = Path(self._repo.tmp_dir)
        hardlink = self._repo.config["core"].get("hardlink_lock", False)
        # under DVC's own guard: what is half-written now is nobody's work in progress
        with _patiently(lambda: make_lock(str(tmp / "rwlock.lock"), tmp_dir=str(tmp), hardlink_lock=hardlink)):
            try:
                json.loads((tmp / "rwlock").read_text(encoding="utf-8"))
            except FileNotFoundError:
                pass
            except ValueError:
                (tmp / "rwlock").unlink()

    def _collect(self) -> dict[str, "PipelineStage"]:
        import networkx

        self._seen = _stamp(self._record)
        graph = self._repo.index.graph  # edges point from a stage to what it needs
        mine = (stage for stage in networkx.dfs_postorder_nodes(graph) if Path(stage.path) == self._file)
        return {stage.name: stage for stage in mine}

    @contextlib.contextmanager
    def holding(self, name: str) -> Iterator[None]:
        """Keep everyone else off what the step reads and writes, DVC's own commands too; wait for those who came first.

        DVC's list of who reads and writes what forgets a process that was killed.
        """
        from dvc.rwlock import rwlock

        stage, command = self._stages[name], " ".join(sys.argv)  # DVC's own calls inside say the same: they may pass
        read, write = ([item.fs_path for item in items] for items in (stage.deps, stage.outs))
        hardlink = self._repo.config["core"].get("hardlink_lock", False)
        with _patiently(lambda: rwlock(self._repo.tmp_dir, self._repo.fs, command, read, write, hardlink)):
            if _stamp(self._record) != self._seen:  # others have recorded something meanwhile
                self._repo._reset()
                self._stages = self._collect()
            yield

    def order(self) -> list[str]:
        """Names of all steps, each after those it needs."""
        return list(self._stages)

    def changed(self, name: str) -> bool:
        """Whether the step's command, inputs, parameters or outputs differ from the record."""
        with self.holding(name), self._locked():  # DVC asks for the step's paths itself, and does not wait
            return bool(self._stages[name].changed())

    def needs(self, name: str) -> list[str]:
        """Names of the steps whose outputs this one reads."""
        return [stage.name for stage in self._repo.index.graph.successors(self._stages[name])]

    def inputs(self, name: str) -> dict[str, Any]:
        """Hashes and parameter values that the step would read now; the record stays as it is.

        Raises:
            UserError: an input is missing.
        """
        from dvc.exceptions import DvcException

        stage = self._stages[name]
        try:
            with self._locked(), _as_recorded(stage):
                stage.save_deps()
                return {str(dep): dep.hash_info.value for dep in stage.deps}
        except DvcException as error:
            raise UserError(
                f"{name} cannot start: {error}",
                where=str(self._file),
                fix="check the silos' paths and the sections of params.yaml",
            ) from None

    def content(self, name: str, path: str) -> tuple[str | None, str | None]:
        """DVC's hash of one input of a step: as recorded, and as it is now; None before the first record, or not there.

        What was hashed before is not read again while its size, time and inode stay the same.
        """
        dep = next(dep for dep in self._stages[name].deps if dep.def_path == path)
        dep.fs.fs.invalidate_cache()  # an object store's listing, which lives as long as the process
        return dep.hash_info.value, dep.get_hash().value if dep.exists else None

    def behind(self, pointer: Path) -> bool:
        """Whether the data of a .dvc file are not what it says."""
        (out,) = self._repo.stage.load_one(str(pointer)).outs
        return not out.exists or out.changed_checksum()

    def pull(self, pointer: Path) -> None:
        """Bring data to what their .dvc file says, from the cache or else the remote.

        Raises:
            UserError: they cannot be had, or would overwrite data that DVC does not know.
        """
        from dvc.exceptions import DvcException
        from dvc.repo import lock_repo

        try:
            with _patiently(lambda: lock_repo(self._repo)):
                self._repo.pull(str(pointer))
        except DvcException as error:
            raise UserError(
                f"the data cannot be brought to what {pointer.name} says",
                where=f"{pointer}: {error}",
                fix="`dvc pull` says more; local changes are kept by `dvc add`, thrown away by `dvc checkout --force`",
            ) from None

    def makes(self, path: Path) -> bool:
        """Whether some step writes the file or folder at `path`."""
        return any(path.is_relative_to(out.fs_path) for stage in self._stages.values() for out in stage.outs)

    def restore(self, name: str) -> bool:
        """Bring back what an earlier run made of the same inputs, if DVC's cache still has it; record it."""
        from dvc.exceptions import ConfirmRemoveError
        from dvc.stage.cache import RunCacheNotFoundError

        try:
            try:
                self._check_out(name)
            except ConfirmRemoveError:  # DVC asks before it overwrites a file that it does not know: a damaged one
                with self._locked():
                    self._stages[name].remove_outs(ignore_remove=True, force=True)
                self._check_out(name)
        except RunCacheNotFoundError:
            return False
        if self._drop_damaged(name):
            return False
        self.record(name)
        return True

    def _drop_damaged(self, name: str) -> bool:
        """Remove from the cache what a step's outputs have there and what is not what its name, the hash, says; whether
        any was. DVC believes what nobody has the right to write, and disks do not ask for it.
        """
        from dvc_data.hashfile import load
        from dvc_data.hashfile.hash import file_md5
        from dvc_data.hashfile.tree import Tree

        cache, damaged = self._repo.cache.local, list[str]()
        for out in self._stages[name].outs:
            kept = load(cache, out.hash_info)
            hashes = {one.value for _, _, one in kept} if isinstance(kept, Tree) else {kept.oid}
            damaged += [one for one in hashes if file_md5(cache.oid_to_path(one)) != one]
        for one in damaged:
            cache.delete(one)
        return bool(damaged)

    def _check_out(self, name: str) -> None:
        stage = self._stages[name]
        with self._locked(), contextlib.chdir(self._file.parent), _as_recorded(stage):  # as in `record`
            self._repo.stage_cache.restore(stage)

    def record(self, name: str) -> None:
        """Hash the step's inputs and outputs, cache the outputs, write dvc.lock."""
        stage = self._stages[name]
        # DVC's run cache takes paths from the working directory
        with self._locked(), contextlib.chdir(self._file.parent):
            stage.save()
            stage.commit()
            alone = _stamp(self._record) == self._seen
            stage.dump(update_pipeline=False)
            if alone:  # else what others have recorded is still to be read
                self._seen = _stamp(self._record)

    def reproduce(self, name: str) -> None:
        """Run a step of the study's own through DVC, as a command.

        Raises:
            UserError: the command failed.
        """
        from dvc.exceptions import DvcException

        try:
            with contextlib.chdir(self._file.parent):  # as in `record`
                self._repo.reproduce(name, single_item=True, force=True)
        except DvcException as error:
            raise UserError(
                f"stage {name} failed: {error.__cause__ or error}",
                where=str(self._file),
                fix="its own output above says why",
            ) from None
        self._stages = self._collect()  # DVC worked on stages of its own; ours do not know the new hashes

    def recall(self, digest: str, place: Path) -> bool:
        """Write what has this hash to `place`, from DVC's cache alone; whether all of it was there."""
        from dvc.fs import localfs
        from dvc_data.hashfile import load
        from dvc_data.hashfile.checkout import CheckoutError, checkout
        from dvc_data.hashfile.hash_info import HashInfo
        from dvc_objects.errors import ObjectFormatError

        cache = self._repo.cache.local
        try:
            checkout(str(place), localfs, load(cache, HashInfo("md5", digest)), cache, force=True, quiet=True)
        except (FileNotFoundError, ObjectFormatError, CheckoutError):
            return False
        return True

    def _locked(self) -> contextlib.AbstractContextManager[None]:
        """DVC's own lock, held for one question or one record."""
        return _patiently(lambda: self._repo.lock)

    def version(self, name: str) -> str | None:
        """DVC's hash of the step's (first) output as recorded; None before the first record."""
        out = self._stages[name].outs[0]
        return out.hash_info.value if out.hash_info else None


@contextlib.contextmanager
def _as_recorded(stage: "PipelineStage") -> Iterator[None]:
    """DVC notes in a stage what it finds its inputs to be: afterwards it knows what is recorded again, and no more."""
    recorded = [(dep, dep.hash_info, dep.meta) for dep in stage.deps]
    try:
        yield
    finally:
        for dep, hash_info, meta in recorded:
            dep.hash_info, dep.meta = hash_info, meta


@contextlib.contextmanager
def _patiently(lock: Callable[[], contextlib.AbstractContextManager[Any]]) -> Iterator[None]:
    """Hold a lock; if another process has it, say once who, and wait."""
    from dvc.lock import LockError

    told = False
    with contextlib.ExitStack() as held:
        while True:
            try:
                held.enter_context(lock())
                break
            except LockError as error:
                if not told:
                    print(f"waiting for another run: {_holders(str(error))}", file=sys.stderr, flush=True)
                told = True
                time.sleep(_PAUSE)
        yield


def _holders(message: str) -> str:
    """Who holds a lock, out of what DVC says of it."""
    lines = [line.strip() for line in message.splitlines() if line.strip().startswith("(PID ")]
    return "; ".join(lines) or "DVC is at work in this study"


def _stamp(path: Path) -> tuple[int, int] | None:
    """Changes with the file."""
    facts = path.stat() if path.exists() else None
    return (facts.st_mtime_ns, facts.st_size) if facts else None
