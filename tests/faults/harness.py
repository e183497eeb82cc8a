"""Strike a run at random, run again, and compare with a run that nothing befell."""

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.faults import disk, doors, micro
from tests.faults.micro import FAILED, HUNG, REFUSED
from tests.faults.strikes import STRIKES, flip_a_bit
from uml_pipeline.pipeline import STAGES
from uml_pipeline.workspace import FINGERPRINT, unlike_seal

PAIR, BIT, FULL = "two runs at once, one killed", "one bit flipped", "disk full"
KINDS = (*STRIKES, PAIR, BIT)
IN_PROCESS = "in process"
_PATIENCE = 300.0  # seconds for a run by a front door: `dvc repro` loads everything for every step
_FEW = 3.0  # seconds of a run that is through with everything but its last step, and more: strikes come before its end


@dataclass(frozen=True)
class Story:
    """One fault, and what became of it."""

    kind: str
    door: str
    """By which the struck run came."""
    seed: int
    done: int
    """Steps that were done before."""
    code: int
    """How the struck run ended: 0, REFUSED, FAILED, or minus a signal."""
    said: str
    seconds: float
    """Until the study was whole again."""
    whole: bool
    """Whether it is what an undisturbed run makes."""

    @property
    def well(self) -> bool:
        """Whole, and the struck run ended in order: a library may do as it likes where it finds no memory."""
        return self.whole and (self.code not in (FAILED, HUNG) or self.kind in ("Ctrl-C", "out of memory"))


class Harness:
    """Prepared studies to strike, in a scratch folder."""

    def __init__(self, folder: Path) -> None:
        for name in ("torch", "dvc.repo", "great_expectations", "sklearn.linear_model", "matplotlib.figure", "plotly"):
            import_module(name)  # so that a forked run has them
        for stage in STAGES:
            import_module(f"uml_pipeline.{stage.name}.stage")
        self._folder, self._snapshots = folder, micro.snapshots(folder)
        self.whole = self._snapshots[-1]
        """The study as an undisturbed run leaves it."""
        self._expected = micro.result(self.whole)

    def strike(self, seed: int, door: str | None = None) -> Story:
        """Fault number `seed`: its kind goes round, and its door if none is given; all else is drawn."""
        dice, kind, door = random.Random(seed), KINDS[seed % len(KINDS)], door or door_of(seed)
        done = len(self._snapshots) - 1 if kind == BIT else dice.randrange(len(self._snapshots) - 1)
        with self._prepared(self._folder / f"fault{seed}", kind, dice, done) as study:
            log, again = study.parent / "log", study.parent / "again"
            code, session = self._befall(kind, door, study, dice, done)
            said = log.read_text(errors="replace") if log.exists() else ""
            if door != IN_PROCESS and code > 0 and code != HUNG:  # each door has numbers of its own
                code = FAILED if "Traceback" in said else REFUSED
            elif code > 0 and code not in (REFUSED, HUNG):  # so has a library that ends the process
                code = FAILED
            if study.is_mount():
                disk.make_room(study)
            _writable(study)
            began = time.perf_counter()
            ended = micro.ended(micro.forked(lambda: micro.run(study), again), _PATIENCE)
            seconds = time.perf_counter() - began
            wrong = [f"the second run ended with {ended}"] if ended else self.wrong(study)
            if session:
                micro.end_orphans(session)
            if wrong:
                said += "\n".join(["", "and again:", again.read_text(errors="replace"), *wrong])
        return Story(kind, door, seed, done, code, said, seconds, whole=not wrong)

    def wrong(self, study: Path) -> list[str]:
        """What is not as an undisturbed run leaves it."""
        found = micro.result(study)
        other = [f"{name} is not the same" for name, seal in self._expected.items() if found.get(name) != seal]
        seals = (study / "artifacts").rglob(FINGERPRINT)
        damaged = [f"{seal.parent.name}: {unlike}" for seal in seals if (unlike := unlike_seal(seal.parent))]
        left = [path for end in ("draft", "old") for path in study.glob(f"artifacts/**/*.{end}")]
        return other + damaged + [f"{path.relative_to(study)} is left" for path in left]

    @contextmanager
    def _prepared(self, scratch: Path, kind: str, dice: random.Random, done: int) -> Iterator[Path]:
        """A copy of the study after its first `done` steps; where the disk fills up, on one too small for the rest."""
        study, source = scratch / "study", self._snapshots[done]
        study.mkdir(parents=True)
        filled, most = disk.used(source), disk.used(self._snapshots[-1])
        small = kind == FULL and disk.mount(study, round(filled + dice.random() * (most - filled)))
        try:
            shutil.copytree(source, study, symlinks=True, dirs_exist_ok=True)
            yield study
        finally:
            if small:
                disk.unmount(study)
            shutil.rmtree(scratch)

    def _befall(self, kind: str, door: str, study: Path, dice: random.Random, done: int) -> tuple[int, int]:
        """How the struck run ended, and its session, where there may be orphans of it."""
        log, seconds = study.parent / "log", _FEW * (1 - done / len(self._snapshots))
        if kind == BIT:
            flip_a_bit(study, dice)
            if door == IN_PROCESS:
                return 0, 0  # the next run meets it
        name = "SIGKILL" if kind == PAIR else kind

        def struck() -> None:
            if door != IN_PROCESS:
                doors.enter(door, study, name, dice.randrange(2**32), seconds)
            if name in STRIKES:
                STRIKES[name](study, dice, seconds)
            micro.run(study)

        other = micro.forked(lambda: micro.run(study), log) if kind == PAIR else None
        session = micro.forked(struck, log)
        code = micro.ended(session, micro.PATIENCE if door == IN_PROCESS else _PATIENCE)
        if other is not None and micro.ended(other, _PATIENCE) != 0:  # which nothing befell
            code = FAILED
        return code, session


def door_of(seed: int) -> str:
    """Every tenth fault comes by a front door, which loads everything anew; in time each kind comes by each."""
    turn, place = divmod(seed, len(KINDS))
    return list(doors.DOORS)[turn % len(doors.DOORS)] if (turn + place) % len(KINDS) == 0 else IN_PROCESS


def _writable(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
