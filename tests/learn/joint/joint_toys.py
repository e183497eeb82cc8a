"""Small tasks for the joint engine: 4 target classes of 6 in the union, three silos."""

from dataclasses import replace

import numpy as np
import torch

from uml_pipeline.learn.joint import Auxiliary, Budget, Run, Task
from uml_pipeline.learn.samples import Samples

NAMES = ("ant", "bee", "cow", "dog", "eel", "fox")
D, WIDTH = 12, 7
OWN, ALL, SOME = (1, 2, 4, 5), range(6), (0, 1, 2)
BUDGET = Budget(steps=60, every=10, patience=100, warm_up=5)


def samples(rows, dims, classes, seed, noise=1.0):
    draw, means = np.random.default_rng(seed), np.random.default_rng(dims).normal(size=(len(NAMES), dims))
    y = np.array(classes)[np.arange(rows) % len(classes)]
    x = means[y] + noise * draw.normal(size=(rows, dims))
    return Samples(torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y))


TEXTS = Auxiliary("texts", samples(30, WIDTH, ALL, 10))
SOUNDS = Auxiliary("sounds", samples(25, 5, SOME, 11))  # another width: it has a projection of its own
BRIDGE = Auxiliary("bridge", samples(9, D, (0, 3), 12), bridge=True)


def task(seed=0, auxiliary=(TEXTS,), rows=8):
    return Task(seed, NAMES, samples(rows, D, OWN, seed), samples(20, D, OWN, 50 + seed), tuple(auxiliary), WIDTH)


UNIMODAL, CONTROL = Run(1e-2, 0.01, 5, projection=False), Run(1e-2, 0.01, 5)
UML = replace(CONTROL, alpha=1.0, learn_scales=True)
INIT = replace(UML, init="text", alpha=0.5)
