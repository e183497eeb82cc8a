"""How fast self-supervised sweeps are trained: our stacks against a plain PyTorch loop, one run after the other.

    UML_DATA_DIR=... python -m benchmarks.ssl [--quick | --gpu]

Two modalities through one causal Transformer, by network and length of sequence: short ones (2 to 50 steps, 10 on
average), full ones (all of 50), and spoken digits as log-mel frames beside handwritten ones as rows of pixels, real
data whose representations are probed. Both sides have the same starts, data, steps, optimiser and schedule; each
computes on the faster of 1 and 2 threads; the least of several times counts. The plain loop trains one run and its time
is multiplied; on the digits it trains all. --quick: two rows alone. --gpu: how much of what the GPU can do a trunk of
100 million weights gets in bfloat16.

Last figures (2 cores of an EPYC, load 1.3; 144 s in all; the run before it: ratios 4.6 and, at the least, 1.2):

    sequences  width  hidden  blocks   plain ms   ours alone   stacked   at once   ratio
    short         20      64       2       19.8          7.9       4.5        13     4.4
    short         64     256       2       36.5         12.7      11.1         4     3.3
    short         40    2048       5      304.7         55.8      55.8         1     5.5
    short        300    2048       5      841.8        201.2     201.2         1     4.2
    full          20      64       2       25.9         15.5      12.7         2     2.0
    full          64     256       2       48.8         30.6      30.6         1     1.6
    full          40    2048       5      363.9        216.9     216.9         1     1.7
    full         300    2048       5     1152.3        920.0     920.0         1     1.3

    digits, width 20: 8.2 s, one by one 15.7 s, ratio 1.9; probe 41.5 ± 1.7 % and 41.2 %

    Two at once are slower than one by one where the hidden layer has 2048 (88 against 67 ms at width 40), so such runs
    are not stacked. On a busy machine threads wait for each other, and rows of few long steps vary by a factor of two.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks import ssl_plain
from benchmarks.ssl_gpu import utilisation
from uml_pipeline.features.encoders import Spec
from uml_pipeline.features.logmel import LogMelEncoder
from uml_pipeline.learn.engine.config import EngineConfig
from uml_pipeline.learn.engine.loop import Fit, fit_all
from uml_pipeline.learn.sequence.config import NetworkConfig
from uml_pipeline.learn.sequence.network import SharedNetwork, modality, transformer
from uml_pipeline.learn.sequence.probe import probe
from uml_pipeline.learn.sequence.reader import represent
from uml_pipeline.learn.sequence.stacked import stack
from uml_pipeline.learn.sequence.task import Lesson, Prediction, Source
from uml_pipeline.progress import peak_bytes
from uml_pipeline.samples.images import read_image
from uml_pipeline.trunk.ssl.stacks import at_once
from uml_pipeline.workers import chunks

BATCH, SAMPLES, LONGEST, REPEATS = 32, 128, 50, 2
SEEDS, ALPHAS, DIGIT_STEPS, A_CLASS = (0, 1, 2, 3), (0.5, 1.0), 150, 30  # of the digits; A_CLASS: samples on each side
SMALL, MIDDLE = NetworkConfig(width=20, hidden=64), NetworkConfig(width=64, hidden=256)
PAPER = NetworkConfig(width=40, layers=5, heads=5, hidden=2048)
WIDE = NetworkConfig(width=300, layers=5, heads=5, hidden=2048)
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Row:
    """A network on sequences of one kind, and how much of it is timed."""

    kind: str
    network: NetworkConfig
    runs: int
    steps: int  # of both sides, beside the first and the last


ROWS = [
    Row("short", SMALL, 16, 20),
    Row("short", MIDDLE, 16, 8),
    Row("short", PAPER, 4, 3),
    Row("short", WIDE, 2, 2),
    Row("full", SMALL, 16, 8),
    Row("full", MIDDLE, 4, 5),
    Row("full", PAPER, 2, 2),
    Row("full", WIDE, 2, 2),
]


class Clock:
    """Seconds a step, but for the first, when nothing is warm, and the last, which ours looks at more closely."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, count: int = 1, taken: int = 0) -> None:
        """A step is done."""
        self.times.append(time.perf_counter())

    @property
    def pace(self) -> float:
        """The mean."""
        return (self.times[-2] - self.times[0]) / (len(self.times) - 2)


def main(*arguments: str) -> None:
    """Print the table and the line of JSON."""
    if "--gpu" in arguments:
        print(json.dumps(utilisation(Console(width=110))))
        return
    console = Console(width=110)
    began = time.perf_counter()
    table = Table(
        "sequences",
        "width",
        "hidden",
        "blocks",
        "plain ms",
        "ours alone",
        "stacked",
        "at once",
        "ratio",
        title="ms a step and run",
    )
    ratios = []
    for row in ROWS[:2] if "--quick" in arguments else ROWS:
        plain, alone, stacked, many = _paces(row)
        console.print(f"{time.perf_counter() - began:4.0f} s: {row.kind}, width {row.network.width}", style="dim")
        ratios.append(plain / stacked)
        shape = (str(one) for one in (row.network.width, row.network.hidden, row.network.layers))
        times = (f"{1000 * one:.1f}" for one in (plain, alone, stacked))
        table.add_row(row.kind, *shape, *times, str(many), f"{plain / stacked:.1f}")
    console.print(table)
    digits = _digits()
    ratios.append(digits["ratio"])
    console.print(
        f"spoken digits, width {SMALL.width}: {digits['runs']} runs of {DIGIT_STEPS} steps in "
        f"{digits['seconds_ours']:.0f} s, one by one {digits['seconds_plain']:.0f} s; probe accuracy "
        f"{digits['accuracy_ours']:.1f} ± {digits['error']:.1f} %, one by one {digits['accuracy_plain']:.1f} %; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, peak memory {peak_bytes() / 2**20:.0f} MB"
    )
    print(json.dumps({"ratio": round(ratios[0], 1), "worst": round(min(ratios), 1), "digits": digits}))


def _paces(row: Row) -> tuple[float, float, float, int]:
    """Seconds a step and run: of the plain loop, of ours one by one, of ours stacked; and how many at once."""
    lessons = [_lesson(row.kind, seed) for seed in range(row.runs)]
    many = min(row.runs, at_once(row.network, lessons[0], CPU))
    config = EngineConfig(steps=row.steps + 2, warm_up=1, look_every=10**6, device="cpu")

    def plain() -> float:
        clock = Clock()
        ssl_plain.train(
            ssl_plain.Plain(row.network, _network(row.network, lessons[0])), lessons[0].sources, config, 0, clock
        )
        return clock.pace

    def ours(count: int) -> float:
        clock = Clock()
        networks = [_network(row.network, one) for one in lessons[:count]]
        fit_all(Prediction(stack(networks), lessons[:count], config), config, 0, advance=clock)
        return clock.pace / count

    ways = [plain, lambda: ours(1), lambda: ours(many)]
    least = _least(ways[:2] if many == 1 else ways)
    return least[0], least[1], least[-1], many


def _least(ways: Sequence[Callable[[], float]]) -> list[float]:
    """The least of several measurements of each, in turn, on one thread and on all."""
    found: list[list[float]] = [[] for _ in ways]
    before = torch.get_num_threads()
    for threads, _ in product({1, os.cpu_count() or 1}, range(REPEATS)):
        torch.set_num_threads(threads)
        for own, way in zip(found, ways, strict=True):
            own.append(way())
    torch.set_num_threads(before)
    return [min(own) for own in found]


def _lesson(kind: str, seed: int) -> Lesson:
    """Two modalities of noise: time does not depend on what is learnt."""
    draw = torch.Generator().manual_seed(seed)

    def sequences(width: int) -> list[Tensor]:
        short = 2 + torch.empty(SAMPLES).exponential_(1 / 8, generator=draw).long()
        lengths = short.clamp(max=LONGEST).tolist() if kind == "short" else [LONGEST] * SAMPLES
        return [torch.randn(length, width, generator=draw) for length in lengths]

    x, y = sequences(20), sequences(30)
    return Lesson({"x": Source(x, BATCH), "y": Source(y, BATCH)}, x[:BATCH], seed)


def _network(config: NetworkConfig, lesson: Lesson) -> SharedNetwork:
    ways = {name: modality(name, one.sequences, config, lesson.seed) for name, one in lesson.sources.items()}
    return SharedNetwork(ways, transformer(config, lesson.seed))


def _digits() -> dict[str, float]:
    """All runs of both sides, timed whole on one thread, and how well a probe recognises digits behind them."""
    torch.set_num_threads(1)
    sounds, _ = _sounds("train")
    images = _images()
    config = EngineConfig(steps=DIGIT_STEPS, look_every=DIGIT_STEPS, device="cpu")
    lessons = [
        Lesson({"x": Source(sounds, BATCH), "y": Source(images, BATCH, alpha)}, sounds[:BATCH], seed)
        for seed, alpha in product(SEEDS, ALPHAS)
    ]
    began, fits = time.perf_counter(), []
    for some in chunks(lessons, at_once(SMALL, lessons[0], CPU)):
        task = Prediction(stack([_network(SMALL, one) for one in some]), some, config)
        fits += fit_all(task, config, 0)
    seconds = time.perf_counter() - began
    ours = [
        _accuracy(lambda x, one=one, found=found: _ours(one, found, x))
        for one, found in zip(lessons, fits, strict=True)
    ]
    began, models = time.perf_counter(), []
    for one in lessons:
        models.append(ssl_plain.Plain(SMALL, _network(SMALL, one)))
        ssl_plain.train(models[-1], one.sources, config, one.seed, lambda: None)
    slow = time.perf_counter() - began
    plain = [_accuracy(lambda x, model=model: model.represent("x", x).numpy()) for model in models]
    return {
        "ratio": slow / seconds,
        "runs": len(lessons),
        "seconds_ours": seconds,
        "seconds_plain": slow,
        "accuracy_ours": float(np.mean(ours)),
        "accuracy_plain": float(np.mean(plain)),
        "error": float(np.std(ours, ddof=1) / len(ours) ** 0.5),
    }


def _ours(lesson: Lesson, found: Fit, x: list[Tensor]) -> np.ndarray:
    network = _network(SMALL, lesson)
    network.load_state_dict(found.weights)
    return represent(network.reader("x"), x)


def _accuracy(encode: Callable[[list[Tensor]], np.ndarray]) -> float:
    """Of the probe on other samples, percent."""
    (x, y), (others, truth) = _sounds("train"), _sounds("test")
    logits = probe(encode(x), y, 10).logits(encode(others))
    return 100 * float((logits.argmax(1) == truth).mean())


@cache
def _sounds(side: str) -> tuple[list[Tensor], np.ndarray]:
    """Spoken digits as log-mel frames, some of each class."""
    folder = _data() / "audio_silo"
    table = pd.read_csv(folder / "manifest.csv")
    table = table[table["split"] == side].groupby("label").sample(A_CLASS, random_state=0)
    sequences = LogMelEncoder(Spec("builtin/logmel", "audio", folder)).sequences(
        [folder / path for path in table["path"]]
    )
    kept = [len(one) > 1 for one in sequences]
    classes = pd.Index(sorted(table["label"].unique())).get_indexer(pd.Index(table["label"]))
    return [one for one in sequences if len(one) > 1], classes[kept].astype(np.int64)


def _images() -> list[Tensor]:
    """Handwritten digits, row by row: [28, 28]."""
    folder = _data() / "image_silo"
    paths = pd.read_csv(folder / "manifest.csv").query("split == 'train'")["path"].sample(300, random_state=0)
    return [torch.from_numpy(np.asarray(read_image(folder / path).convert("L"), np.float32)) / 255 for path in paths]


def _data() -> Path:
    return Path(os.environ["UML_DATA_DIR"], "datasets", "mnist_fsdd")


if __name__ == "__main__":
    main(*sys.argv[1:])
