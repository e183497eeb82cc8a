"""What a second run costs when little has changed, and what memory many samples need.

    UML_DATA_DIR=... python -m benchmarks.incremental [--quick]

Figures: docs/performance.md. Every measurement is a process of its own, which reports the stage's seconds (without
Python's start) and the peak of its resident memory.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from PIL import Image
from rich.console import Console
from rich.table import Table

PHOTOS = "datasets/caltech50/image_silo"
WEIGHTS = "weights/vision_mobilenetv2_100_torchvision_qat.safetensors"
CHANGED = 0.01
FEW, MANY = 1_000, 50_000
VECTORS, DIM = 1_000_000, 384

_STAGE = """
import importlib, json, resource, sys, time
from uml_pipeline.study import Study
study = Study(sys.argv[1])
stage = importlib.import_module(f"uml_pipeline.{sys.argv[2]}.stage")
start = time.perf_counter()
stage.run(study, sys.argv[3])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": time.perf_counter() - start, "megabytes": peak}))
"""
_STORE = """
import json, resource, sys
from pathlib import Path
from benchmarks.incremental import ids, synthetic
from uml_pipeline.features.store import shards, write
folder, count, dim = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
write(folder, ids(count), synthetic(count, dim), {"dim": dim})
written = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
rows, total = 0, 0.0
for matrix in shards(folder):
    rows, total = rows + len(matrix), total + float(matrix.sum(dtype="f8"))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"rows": rows, "mean": total / rows / dim, "written": written, "megabytes": peak}))
"""


def main() -> None:
    """Print the tables, then one line of JSON."""
    data, quick = Path(os.environ["UML_DATA_DIR"]), "--quick" in sys.argv
    console = Console(width=100)
    with tempfile.TemporaryDirectory() as folder:
        share, table = _second_run(data, Path(folder), 200 if quick else None)
    console.print(table)
    with tempfile.TemporaryDirectory() as folder:
        growth, table = _memory(Path(folder), 100 if quick else FEW, 500 if quick else MANY)
    console.print(table)
    with tempfile.TemporaryDirectory() as folder:
        count = 10_000 if quick else VECTORS
        store = _measured(_STORE, folder, str(count), str(DIM))
    size = count * DIM * 4 / 2**20
    console.print(
        f"{store['rows']:,} vectors of {DIM} ({size:,.0f} MB): peak {store['written']:,.0f} MB after writing, "
        f"{store['megabytes']:,.0f} MB after reading them all, memory-mapped"
    )
    result = {"share_of_full": share, "memory_growth": growth, "million_vectors_mb": store["megabytes"]}
    print(json.dumps({name: round(value, 4) for name, value in result.items()}))


def _second_run(data: Path, folder: Path, limit: int | None) -> tuple[float, Table]:
    """Seconds of the first run, of one with nothing new, and of one with some photos changed and as many added.

    What the second of them takes is start-up (imports, the network's weights, the store written anew): the share is of
    what comes on top of it.
    """
    study, raw = folder / "study", folder / "study" / "photos"
    manifest = pd.read_csv(data / PHOTOS / "manifest.csv").sample(frac=1, random_state=0)[:limit]
    for path, label in zip(manifest["path"], manifest["label"], strict=True):
        target = raw / str(label) / Path(path).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(data / PHOTOS / path, target)
    _write_study(study, "photos", "timm/mobilenetv2_100", str(data / WEIGHTS))
    table = Table(
        "run", "samples", "new", "silo s", "share", "features s", "share", title="second run: photos, MobileNetV2"
    )
    files = sorted(raw.rglob("*.jpg"))
    half = max(1, round(CHANGED * len(files) / 2))
    runs: list[dict[str, float]] = []
    for run, new in (("first", len(files)), ("nothing new", 0), ("1 % new", 2 * half)):
        if run == "1 % new":
            _change(files[:half], files[half : 2 * half])
        seconds = {stage: _measured(_STAGE, str(study), stage, "photos")["seconds"] for stage in ("silo", "features")}
        runs.append(seconds)
        shares = {stage: f"{seconds[stage] / runs[0][stage]:.3f}" for stage in seconds}
        cells = (f"{seconds['silo']:.2f}", shares["silo"], f"{seconds['features']:.2f}", shares["features"])
        table.add_row(run, str(len(list(raw.rglob("*.jpg")))), str(new), *cells)
    first, idle, some = (one["features"] for one in runs)
    return (some - idle) / (first - idle), table


def _change(changed: list[Path], copied: list[Path]) -> None:
    """Mirror some photos in place, and add others turned."""
    for path in changed:
        Image.open(path).convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    for path in copied:
        turned = Image.open(path).convert("RGB").transpose(Image.Transpose.ROTATE_90)
        turned.save(path.with_name(f"turned-{path.name}"))


def _memory(folder: Path, few: int, many: int) -> tuple[float, Table]:
    """Peak memory of both stages for few and for many drawings, and the larger growth."""
    table = Table("samples", "silo MB", "features MB", title="memory: drawings of 64 pixels, builtin/emoji")
    peaks: dict[int, dict[str, float]] = {}
    for count in (few, many):
        study = folder / str(count)
        _draw(study / "drawings", count)
        _write_study(study, "drawings", "builtin/emoji", None)
        peaks[count] = {
            stage: _measured(_STAGE, str(study), stage, "drawings")["megabytes"] for stage in ("silo", "features")
        }
        table.add_row(f"{count:,}", *(f"{one:,.0f}" for one in peaks[count].values()))
    return max(peaks[many][stage] / peaks[few][stage] for stage in ("silo", "features")), table


def _draw(folder: Path, count: int) -> None:
    """Blots, no two of them alike."""
    hand = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"class-{number % 10}" / f"{number:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        blot = Image.fromarray(hand.integers(0, 256, (6, 6, 3), np.uint8)).resize((64, 64))
        blot.save(path, compress_level=1)


def _write_study(folder: Path, name: str, encoder: str, checkpoint: str | None) -> None:
    silo: dict[str, Any] = {"modality": "image", "path": name, "encoder": encoder, "checkpoint": checkpoint}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump({"target": name, "silos": {name: silo}}))


def _measured(script: str, *arguments: str) -> dict[str, float]:
    """What a script prints as its last line, run in a process of its own."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def ids(count: int) -> list[str]:
    """Names like those of samples."""
    return [f"{number:032x}" for number in range(count)]


def synthetic(count: int, dim: int) -> Iterator[np.ndarray]:
    """Vectors [1, dim], made as they are asked for."""
    hand = np.random.default_rng(0)
    for start in range(0, count, 1000):
        yield from hand.random((min(1000, count - start), 1, dim), np.float32)


if __name__ == "__main__":
    main()
