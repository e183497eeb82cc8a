"""What a shipped UML model costs against the plain unimodal probe of the same encoder.

    python -m benchmarks.inference [STUDY]

A study of mode probe that has run, by default the demo. Both models are written as they ship: the arm with auxiliary
silos (what ships, or what would have shipped, had it been better beyond noise) and the baseline that has seen the
target alone. They recognise the same test files by turns, 32 at a time; `time_ratio` is the median of the paired ratios
of processor time, for which a busy machine does not matter much; `bytes_ratio` that of the folders. `bare_ratio`
compares with the encoder and one matrix product, without our class.

Last figures (the demo's 331 test drawings, 60 turns of them, one core of a machine that is busy otherwise):

    time_ratio 1.004 (quartiles of the 660 pairs: 0.93 to 1.08), bytes_ratio 1.0, bare_ratio 0.999; 1.4 ms a drawing
    (Convex UML against logistic regression; 1.012 and 1.010 in two shorter measurements before)
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from uml_pipeline.learn.splits import held_out
from uml_pipeline.model import UnimodalModel
from uml_pipeline.model.folder import CONFIG, LABELS, WEIGHTS
from uml_pipeline.silo import read_manifest
from uml_pipeline.study import Study
from uml_pipeline.workers import chunks
from uml_pipeline.workspace import Workspace, read_json, seal

TURNS, TOGETHER = 60, 32


def written(study: Study, part: str, folder: Path) -> UnimodalModel:
    """The model's folder with the head of another part of the trunk; without card and lineage, which nobody runs."""
    workspace = Workspace(study.folder)
    shutil.copytree(workspace.reading("model"), folder, ignore=shutil.ignore_patterns("*.md", "lineage*", "finger*"))
    weights = load_file(workspace.reading("trunk") / f"{part}.safetensors")
    weights["weight"] = weights.pop("head")
    save_file(weights, folder / WEIGHTS)
    seal(folder)
    return UnimodalModel.load(folder)


def bare(model: UnimodalModel) -> Callable[[Sequence[Path]], np.ndarray]:
    """A linear probe as anybody would write it."""
    return lambda files: (model.encoder.encode(files) @ model.weight.T).argmax(1)


def seconds(predict: Callable[[Sequence[Path]], object], files: Sequence[Path]) -> float:
    """Processor time of recognising them once."""
    start = time.process_time()
    predict(files)
    return time.process_time() - start


def main() -> None:
    """Print one line of JSON."""
    study = Study(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    config = read_json(Workspace(study.folder).reading("trunk") / "config.json")
    part = "rival" if config.get("rival") else "ships"
    manifest = read_manifest(study, study.target)
    files = [study.folder / path for path in manifest["path"].iloc[held_out(manifest)]]
    with tempfile.TemporaryDirectory() as folder:
        ours, plain = (written(study, one, Path(folder) / one) for one in (part, "baseline"))
        rivals = {"ours": ours.predict, "plain": plain.predict, "bare": bare(plain)}
        for predict in rivals.values():
            predict(files)  # the first call loads the encoder
        times, draw = {name: list[float]() for name in rivals}, np.random.default_rng(0)
        for some in (some for _ in range(TURNS) for some in chunks(files, TOGETHER)):
            for name in draw.permutation(list(rivals)):  # who comes first finds another cache
                times[name].append(seconds(rivals[name], some))
        sizes = [sum((one.folder / name).stat().st_size for name in (WEIGHTS, CONFIG, LABELS)) for one in (ours, plain)]
    ours_, plain_, bare_ = (np.array(times[name]) for name in rivals)
    told = {
        "method": config[part]["method"],
        "baseline": config["baseline"]["method"],
        "samples": len(files),
        "ms_a_sample": 1000 * float(ours_.sum()) / (TURNS * len(files)),
        "time_ratio": float(np.median(ours_ / plain_)),
        "time_ratio_quartiles": np.quantile(ours_ / plain_, [0.25, 0.75]).tolist(),
        "bytes_ratio": sizes[0] / sizes[1],
        "bare_ratio": float(np.median(ours_ / bare_)),
    }
    print(json.dumps({key: round(value, 4) if isinstance(value, float) else value for key, value in told.items()}))


if __name__ == "__main__":
    main()
