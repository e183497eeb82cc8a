"""Series whose classes differ in their rhythm alone; beside them other series and sentences. Up to the trunk's door."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.conftest import before_trunk
from tests.one_core import one_core
from uml_pipeline.study import Study

__all__ = ["one_core"]
PERIODS = {"slow": 9.0, "middle": 6.0, "fast": 4.0}
NETWORK = {"width": 16, "layers": 1, "heads": 2, "hidden": 32, "longest": 12}
FAST = {"steps": 6, "look_every": 3, "warm_up": 2, "batch": 8, "auxiliary_batch": 8, "network": NETWORK}


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("ssl") / "study"
    (folder / "data").mkdir(parents=True)
    _waves(folder / "data" / "waves.npz", channels=2, seed=0)
    _waves(folder / "data" / "echoes.npz", channels=3, seed=1)
    lines = [f"a {one} wave number {place},{one}" for place in range(8) for one in PERIODS]
    (folder / "data" / "notes.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    params = {
        "target": "waves",
        "silos": {
            "waves": {"modality": "series", "path": "data/waves.npz"},
            "echoes": {"modality": "series", "path": "data/echoes.npz", "label": None},
            "notes": {"modality": "text", "path": "data/notes.csv", "encoder": "builtin/minilm"},
        },
        "relevance": {"permutations": 99},
        "trunk": {"mode": "ssl", "shots": [2, 12], "seeds": 2, "ssl": FAST},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    return before_trunk(Study(folder))


@pytest.fixture
def waves(prepared: Study, tmp_path: Path) -> Callable[..., Study]:
    """`waves(trunk={...}, **ssl)`: a copy of the prepared study with other keys of the trunk."""

    def make(trunk: dict | None = None, **ssl: object) -> Study:
        folder = tmp_path / f"study{len(list(tmp_path.iterdir()))}"
        shutil.copytree(prepared.folder, folder)
        params = yaml.safe_load((folder / "params.yaml").read_text())
        params["trunk"] |= {"ssl": FAST | ssl} | (trunk or {})
        (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
        return Study(folder)

    return make


def _waves(path: Path, channels: int, seed: int) -> None:
    """20 series of each class, padded behind their lengths; splits of 12, 4 and 4."""
    draw = np.random.default_rng(seed)
    labels = np.repeat(list(PERIODS), 20)
    lengths = draw.integers(8, 16, len(labels))
    x = np.zeros((len(labels), 16, channels), np.float32)
    for row, (label, length) in enumerate(zip(labels, lengths, strict=True)):
        phases = 2 * np.pi * draw.random(channels)
        wave = np.sin(2 * np.pi * np.arange(length)[:, None] / PERIODS[label] + phases)
        x[row, :length] = wave + 0.1 * draw.normal(size=wave.shape)
    split = np.tile(["train"] * 12 + ["val"] * 4 + ["test"] * 4, len(PERIODS))
    np.savez(path, x=x, lengths=lengths, label=labels, split=split)
