"""Silos of toy classes: a target, texts about them or not, and bridges."""

import numpy as np
import pandas as pd

from uml_pipeline.relevance.scene import Side

D = 12


def means(classes=60, seed=0):
    return np.random.default_rng(seed).normal(size=(classes, D)).astype(np.float32)


def side(name="pictures", *, world, samples=6, noise=1.6, seed=0, modality="image", space="here", names=None, first=0):
    """`samples` of each class of `world` [class, d], scattered by `noise`; `names`: what the classes are called."""
    draw = np.random.default_rng([seed, 7])
    y = np.repeat(np.arange(len(world)), samples)
    x = world[y] + noise * draw.normal(size=(len(y), D))
    called = np.array(names if names is not None else [f"c{first + one:03}" for one in range(len(world))])
    rows = pd.DataFrame({"label": called[y], "group": None, "sample_id": [f"{name}{row}" for row in range(len(y))]})
    return Side(name, rows, x.astype(np.float32), space, modality)


def texts(name="texts", *, world, seed=1, **more):
    """Texts in the target's own space."""
    return side(name, world=world, seed=seed, modality="text", **more)
