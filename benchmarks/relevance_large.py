"""A verdict on 1,000 classes of 4,096 numbers: seconds and memory.

    python -m benchmarks.relevance_large        # 2 idle cores: 23 s, 1.6 GB

Made-up features: five samples a class of a target, and five of texts that share the arrangement of the classes by half,
in a space of their own, which is the slower kind. Everything that the stage does with one silo, the reading aside.
"""

import json
import resource
import time

import numpy as np
import pandas as pd

from uml_pipeline.relevance.config import RelevanceConfig
from uml_pipeline.relevance.geometry import agreement
from uml_pipeline.relevance.marginal import Marginals, adjusted
from uml_pipeline.relevance.scene import Side
from uml_pipeline.relevance.soundness import examine
from uml_pipeline.relevance.verdict import judge

CLASSES, SAMPLES, WIDTH = 1000, 5, 4096


def main() -> None:
    """Print one line of JSON."""
    draw, config = np.random.default_rng(0), RelevanceConfig()
    shared = draw.normal(size=(CLASSES, WIDTH)).astype(np.float32)
    sides = [_side(*one, shared, draw) for one in (("photos", "image"), ("texts", "text"))]
    start = time.monotonic()
    target, texts = sides
    marginal = Marginals(target, [texts], config.shots, config.alpha).of("texts")
    trial = time.monotonic() - start
    seen = target.labels, target.x
    arranged = agreement(seen, (texts.labels, texts.x), config.permutations)
    sound = examine(
        target.rows,
        seen,
        (texts.rows, texts.x),
        arranged,
        same_space=False,
        permutations=config.permutations,
        alpha=config.alpha,
    )
    verdict = judge("texts", arranged, marginal, adjusted({"texts": marginal})["texts"], config)
    print(
        json.dumps(
            {
                "verdict": verdict["verdict"],
                "alarming": sound.alarming,
                "seconds": round(time.monotonic() - start, 1),
                "of them the trial": round(trial, 1),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )


def _side(name: str, modality: str, shared: np.ndarray, draw: np.random.Generator) -> Side:
    """Samples of every class around means that are half those of the other side."""
    y = np.repeat(np.arange(CLASSES), SAMPLES)
    means = shared + draw.normal(size=shared.shape).astype(np.float32)
    x = means[y] + 2 * draw.normal(size=(len(y), WIDTH)).astype(np.float32)
    rows = pd.DataFrame({"label": pd.Series(y).map("c{:04}".format), "group": None, "split": "train"})
    rows["sample_id"] = [f"{name} {row}" for row in range(len(y))]
    if modality == "text":
        rows["text"] = rows["label"] + " " + rows["sample_id"]
    else:
        rows["path"] = rows["sample_id"]
    return Side(name, rows, x, name, modality)


if __name__ == "__main__":
    main()
