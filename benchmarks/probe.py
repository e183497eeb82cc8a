"""How fast few-shot probes are trained: the joint engine against a plain PyTorch loop, one run after the other.

    UML_DATA_DIR=... python -m benchmarks.probe [--quick] [STUDY]

caltech50, MobileNetV2 and MiniLM features; the official few-shot lists. The grid: unimodal, unimodal with projection,
UML and UML(init) x 1 to 16 shots x 3 seeds x 12 settings. The engine trains all of it; the plain loop trains a sample
of the runs, spread over arms and shots, and its time is scaled. STUDY: where features are; by default they are made
once, in .uml/probe. --quick: a few runs alone. The engine trains in reduced coordinates (learn/joint/span.py), as these
features allow.

Last figures (2 cores of an EPYC, quiet; 40 of 720 runs timed one by one, on the faster of 1 and 2 threads):

    engine 127 s, one by one 1035 s: ratio 8.2; 1081 MB at most, 661 of them before training
    test accuracy of the same 40 runs: 83.8 by the engine, 83.6 by the plain loop

    arm                        plain ms a step   test % at 1, 2, 4, 8, 16 shots, chosen by validation
    unimodal                   0.35              68.7  80.0  88.5  91.0  93.1
    unimodal with projection   0.99              67.9  80.7  88.0  90.7  92.7
    UML                        1.17              68.6  80.6  87.0  90.7  92.3
    UML(init)                  1.16              68.7  80.5  87.2  90.5  92.5

The aim, 20, is out of reach on this machine: the engine's products run at 95 of the 112 GFLOP/s that a core can do, and
the plain loop wastes two thirds of its time, not nineteen twentieths. Where its own overhead is
larger (a busy machine, one thread: 0.42 to 2.0 ms a step) the ratio is, too. No GPU was there to try.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks import probe_plain
from studies.silos import SEEN
from uml_pipeline.features import read_features
from uml_pipeline.learn.joint import Auxiliary, Budget, Run, Task, train
from uml_pipeline.learn.samples import Samples
from uml_pipeline.pipeline import Step, call
from uml_pipeline.study import Study

ARMS = {
    "unimodal": {"projection": False},
    "unimodal with projection": {},
    "UML": {"alpha": 1.0},
    "UML(init)": {"alpha": 1.0, "init": "text"},
}
RATES, DECAYS, SCALES = (1e-3, 1e-4), (0.0, 0.001, 0.01), (False, True)  # UML, table 5
SHOTS, SEEDS = (16, 8, 4, 2, 1), (1, 2, 3)  # the longest first: both threads end together
LIMIT, CALIBRATION = 520, 40  # seconds in all, but for the least number of plain runs; steps to choose the threads by


@dataclass(frozen=True)
class Grid:
    """What is trained, and how many runs the plain loop trains at least and at most."""

    shots: tuple[int, ...] = SHOTS
    seeds: tuple[int, ...] = SEEDS
    decays: tuple[float, ...] = DECAYS
    least: int = 8
    most: int = 40

    def runs(self) -> list[tuple[str, Run]]:
        """All runs of one episode, with their arm."""
        settings = list(product(RATES, self.decays, SCALES))
        return [
            (arm, Run(rate, decay, learn_scales=scales, **own))  # type: ignore[arg-type]
            for arm, own in ARMS.items()
            for rate, decay, scales in settings
        ]


@dataclass(frozen=True)
class Photos:
    """Features of caltech50, and its episodes."""

    manifest: pd.DataFrame
    x: torch.Tensor
    texts: Auxiliary
    classes: tuple[str, ...]

    @classmethod
    def read(cls, study: Study) -> "Photos":
        """From the study's artifacts; texts of other classes than the photos' are left out."""
        manifest, x = read_features(study, "photos")
        told, y = read_features(study, "texts")
        classes = sorted(manifest["label"].unique())
        index = pd.Index(classes).get_indexer(pd.Index(told["label"]))
        texts = Samples(torch.tensor(y[index >= 0]), torch.tensor(index[index >= 0]))
        return cls(manifest, torch.tensor(x), Auxiliary("texts", texts), tuple(classes))

    def samples(self, rows: NDArray[np.int64]) -> Samples:
        """Some of the photos."""
        y = pd.Index(self.classes).get_indexer(pd.Index(self.manifest["label"].iloc[rows]))
        return Samples(self.x[rows], torch.tensor(y))

    def test(self) -> Samples:
        """The manifest's test split."""
        return self.samples(np.flatnonzero(self.manifest["split"] == "test"))

    def task(self, shots: int, seed: int) -> Task:
        """An official draw."""
        draws = Path(os.environ["UML_DATA_DIR"], "datasets/caltech50/fewshot", f"shot_{shots}-seed_{seed}.json")
        sides = json.loads(draws.read_text())
        train, val = (self.samples(self._rows(sides[side])) for side in ("train", "val"))
        return Task(seed, self.classes, train, val, (self.texts,))

    def _rows(self, items: list[dict[str, str]]) -> NDArray[np.int64]:
        """Rows of listed photos, told by class and file name."""
        ends = pd.Index(["/".join(path.split("/")[-2:]) for path in self.manifest["path"]])
        rows = ends.get_indexer(pd.Index(["/".join(item["path"].split("/")[-2:]) for item in items]))
        assert (rows >= 0).all()
        return rows.astype(np.int64)


def main(*arguments: str) -> None:
    """Print the tables and the line of JSON."""
    quick = "--quick" in arguments
    folders = [one for one in arguments if not one.startswith("--")]
    grid = Grid((4, 1), (1,), (0.01,), least=6, most=6) if quick else Grid()
    photos = Photos.read(Study(folders[0]) if folders else prepare(Path(".uml/probe")))
    console, test = Console(width=110), photos.test()
    before, began = _peak(), time.perf_counter()
    ours = pd.DataFrame(_ours(photos, grid, test))
    seconds, peak = time.perf_counter() - began, _peak()
    console.print(_accuracies(ours))
    plain = pd.DataFrame(_plain(photos, grid, test, began + LIMIT))
    both = plain.merge(ours, on=["shots", "seed", "arm", "number"], suffixes=("_plain", ""))
    slow = _scaled(plain, ours)
    console.print(_times(both))
    threads = plain["threads"].iloc[0]
    console.print(
        f"{len(ours)} runs: {seconds:.0f} s by the engine, {slow:.0f} s one by one ({len(plain)} runs timed, on the "
        f"faster of 1 and {os.cpu_count()} threads: {threads}); {os.cpu_count()} cores, peak memory {peak:.0f} MB "
        f"({before:.0f} MB of them before training)"
    )
    result = {
        "ratio": round(slow / seconds, 1),
        "accuracy_ours": round(100 * both["test"].mean(), 2),
        "accuracy_plain": round(100 * both["test_plain"].mean(), 2),
        "runs": len(ours),
        "sampled": len(plain),
        "seconds_ours": round(seconds, 1),
        "seconds_plain": round(slow),
        "peak_mb": round(peak),
    }
    print(json.dumps(result))


def prepare(folder: Path) -> Study:
    """A study of caltech50 with features, made on first use."""
    data = Path(os.environ["UML_DATA_DIR"]).resolve()
    silos, weights = data / "datasets" / "caltech50", data / "weights" / "vision_mobilenetv2_100_tf2_ptq.safetensors"
    encoder = {"encoder": f"timm/mobilenetv2_100?{SEEN}", "checkpoint": str(weights)}
    params = {
        "target": "photos",
        "silos": {
            "photos": {"modality": "image", "path": str(silos / "image_silo"), **encoder},
            "texts": {"modality": "text", "path": str(silos / "text_silo"), "encoder": "builtin/minilm"},
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    study = Study(folder)
    for name in study.params.silos:
        if not (study.folder / "artifacts" / "features" / name).is_dir():
            call(study, Step("silo", name))
            call(study, Step("features", name))
    return study


def _ours(photos: Photos, grid: Grid, test: Samples) -> Iterator[dict[str, object]]:
    """Every run of the grid, by the engine."""
    runs = grid.runs()
    places = list(product(grid.shots, grid.seeds))
    jobs = [(photos.task(*place), [run for _, run in runs]) for place in places]
    for (shots, seed), fits in zip(places, train(jobs, coordinates="reduced"), strict=True):
        for number, ((arm, _), fit) in enumerate(zip(runs, fits, strict=True)):
            hits = (fit.logits(test.x).argmax(1) == test.y).float().mean()
            steps = 1 + (len(fit.curve) - 1) * Budget().every
            yield _row(shots, seed, arm, number) | {"val": fit.score, "test": float(hits), "steps": steps}


def _plain(photos: Photos, grid: Grid, test: Samples, end: float) -> Iterator[dict[str, object]]:
    """Runs drawn from the grid, by the plain loop, until `end`, but at least some."""
    threads = _faster_threads(photos.task(grid.shots[0], grid.seeds[0]), grid.runs()[-1][1])
    torch.set_num_threads(threads)
    for count, (shots, seed, number) in enumerate(_drawn(grid)):
        if count >= grid.least and time.perf_counter() > end:
            break
        arm, run = grid.runs()[number]
        outcome = probe_plain.train(photos.task(shots, seed), run, Budget())
        hits = (outcome.model(test.x).argmax(1) == test.y).float().mean()
        row = {"test": float(hits), "steps": outcome.steps, "seconds": outcome.seconds, "threads": threads}
        yield _row(shots, seed, arm, number) | row


def _drawn(grid: Grid) -> Iterator[tuple[int, int, int]]:
    """Shots, seed and number of runs: arm by arm in turn, shots shifted by one each turn; settings at random."""
    draw, each = np.random.default_rng(0), len(grid.runs()) // len(ARMS)
    for count in range(grid.most):
        turn, arm = divmod(count, len(ARMS))
        shots = grid.shots[(turn + arm) % len(grid.shots)]
        yield shots, int(draw.choice(grid.seeds)), arm * each + int(draw.integers(each))


def _faster_threads(task: Task, run: Run) -> int:
    """Of one thread and all: on a busy machine two wait for each other."""
    seconds = {}
    for threads in {1, os.cpu_count() or 1}:
        torch.set_num_threads(threads)
        seconds[threads] = min(probe_plain.train(task, run, Budget(), CALIBRATION).seconds for _ in range(3))
    return min(seconds, key=lambda threads: seconds[threads])


def _row(shots: int, seed: int, arm: str, number: int) -> dict[str, object]:
    return {"shots": shots, "seed": seed, "arm": arm, "number": number}


def _scaled(plain: pd.DataFrame, ours: pd.DataFrame) -> float:
    """Seconds of the whole grid by the plain loop: each arm's mean, times its runs."""
    means = plain.groupby("arm")["seconds"].mean()
    return float((means * ours.groupby("arm").size()).sum())


def _accuracies(ours: pd.DataFrame) -> Table:
    """Test accuracy of the runs that validation chose, mean over seeds."""
    chosen = ours.loc[ours.groupby(["shots", "seed", "arm"])["val"].idxmax()]
    means = 100 * chosen.pivot_table("test", "arm", "shots")
    table = Table("arm", *(f"{shots} shots" for shots in means), title="test accuracy, %")
    for arm in ARMS:
        table.add_row(arm, *(f"{value:.1f}" for value in means.loc[arm]))
    return table


def _times(both: pd.DataFrame) -> Table:
    """The runs that both trained."""
    table = Table("arm", "runs", "plain s a run", "ms a step", "steps", "ours", "test %", "ours", title="the same runs")
    for arm, own in both.groupby("arm", sort=False):
        ms = 1000 * own["seconds"].sum() / own["steps_plain"].sum()
        values: Sequence[str] = (
            f"{own['seconds'].mean():.1f}",
            f"{ms:.2f}",
            f"{own['steps_plain'].mean():.0f}",
            f"{own['steps'].mean():.0f}",
            f"{100 * own['test_plain'].mean():.1f}",
            f"{100 * own['test'].mean():.1f}",
        )
        table.add_row(str(arm), str(len(own)), *values)
    return table


def _peak() -> float:
    """Most memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
