"""Strike a run at random, run again, and compare with a run that nothing befell."""

import random
import shutil
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.faults import micro
from tests.faults.micro import FAILED, HUNG
from tests.faults.strikes import STRIKES, flip_a_bit
from uml_pipeline.pipeline import STAGES

PAIR, BIT = "two runs at once, one killed", "one bit flipped"
KINDS = (*STRIKES, PAIR, BIT)
_FEW = 3.0  # seconds of a run that is through with everything but its last step, and more: strikes come before its end


@dataclass(frozen=True)
class Story:
    """One fault, and what became of it."""

    kind: str
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
        self._expected = micro.result(self._snapshots[-1])

    def strike(self, seed: int) -> Story:
        """Fault number `seed`: its kind goes round, all else is drawn."""
        dice, kind = random.Random(seed), KINDS[seed % len(KINDS)]
        done = len(self._snapshots) - 1 if kind == BIT else dice.randrange(len(self._snapshots) - 1)
        scratch = self._folder / f"fault{seed}"
        study = scratch / "study"
        shutil.copytree(self._snapshots[done], study, symlinks=True)
        code, log = self._befall(kind, study, dice, done), scratch / "log"
        said = log.read_text(errors="replace") if log.exists() else ""
        _writable(study)
        began = time.perf_counter()
        ended = micro.ended(micro.forked(lambda: micro.run(study), scratch / "again"))
        seconds = time.perf_counter() - began
        wrong = [f"the second run ended with {ended}"] if ended else self._wrong(study)
        if wrong:
            said += "\n".join(["", "and again:", (scratch / "again").read_text(errors="replace"), *wrong])
        shutil.rmtree(scratch)
        return Story(kind, seed, done, code, said, seconds, whole=not wrong)

    def _wrong(self, study: Path) -> list[str]:
        """What is not as an undisturbed run leaves it."""
        found = micro.result(study)
        other = [f"{name} is not the same" for name, seal in self._expected.items() if found.get(name) != seal]
        left = [path for end in ("draft", "old") for path in study.glob(f"artifacts/**/*.{end}")]
        return other + [f"{path.relative_to(study)} is left" for path in left]

    def _befall(self, kind: str, study: Path, dice: random.Random, done: int) -> int:
        log, seconds = study.parent / "log", _FEW * (1 - done / len(self._snapshots))
        if kind == BIT:
            flip_a_bit(study, dice)
            return 0
        strike = STRIKES["SIGKILL" if kind == PAIR else kind]

        def struck() -> None:
            strike(study, dice, seconds)
            micro.run(study)

        other = micro.forked(lambda: micro.run(study), log) if kind == PAIR else None
        code = micro.ended(micro.forked(struck, log))
        if other is not None:
            assert micro.ended(other) == 0, log.read_text()
        return code


def _writable(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
