"""Three modalities: sounds, photos and texts about the same classes, each in turn the target.

    UML_DATA_DIR=... python -m benchmarks.trimodal [--seeds 20] [FOLDER]     # FOLDER keeps the features between runs

Figures: docs/results.md. animals_trimodal has all three modalities for its 8 classes; 4 of esc10's 10
sounds have photos.
Photos by MobileNetV2, sounds by YAMNet, texts by MiniLM: no two encoders share a space.
"""

import argparse
import json
import os
from itertools import product
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import trunks

SETS, TARGETS, SHOTS = ("animals_trimodal", "esc10"), ("audio", "image"), [1, 2, 4, 8]
SOUNDS = "weights/audio_yamnet_mobilenetv1_100.safetensors"


def main() -> None:
    """Print a table for each target and choice of silos, then one line of JSON."""
    options = _options()
    console, folder, results = Console(width=130), Path(options.folder), {}
    for name, target in product(SETS, TARGETS):
        other = next(one for one in TARGETS if one != target)
        for beside in ([other], ["text"], [other, "text"]):
            title = f"{name}, {target} with {' and '.join(beside)}"
            if options.only and options.only not in title:
                continue
            metrics, verdicts = trunks.run(folder / name, _params(name, [target, *beside], options.seeds))
            console.print(trunks.table(title, metrics, verdicts))
            results[title] = {key: metrics[key] for key in ("runs", "gains", "ships", "arms")}
    (folder / "trimodal.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(json.dumps({title: trunks.chosen(one) for title, one in results.items()}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default=".uml/benchmark-trimodal")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", help="settings whose name has this in it")
    return parser.parse_args()


def _params(name: str, modalities: list[str], seeds: int) -> dict[str, Any]:
    """The study with its first modality as the target."""
    data = Path(os.environ["UML_DATA_DIR"]).resolve()
    encoders = {
        "image": {"encoder": trunks.ENCODER, "checkpoint": str(data / trunks.WEIGHTS)},
        "audio": {"encoder": "builtin/yamnet", "checkpoint": str(data / SOUNDS)},
        "text": {"encoder": "builtin/minilm"},
    }
    silos = {
        one: {"modality": one, "path": str(data / "datasets" / name / f"{one}_silo"), **encoders[one]}
        for one in modalities
    }
    return {"target": modalities[0], "silos": silos, "trunk": {"shots": SHOTS, "seeds": seeds}}


if __name__ == "__main__":
    main()
