"""Silos of numbers for the tests of their soundness."""

import numpy as np
import pandas as pd

RANK, D = 10, 24


def world(classes, seed=0):
    """Where each class lies: [class, rank]."""
    return np.random.default_rng([seed, 7]).normal(size=(classes, RANK))


def silo(classes=30, each=12, noise=0.6, seed=1, order=None, moved=0.0):
    """Labels and features: samples around class means that all silos share, in a space of the silo's own.

    `order` puts other names on the classes; `moved` is how far the class means lie from where they should.
    """
    draw = np.random.default_rng([seed, 8])
    means = world(classes) + moved * draw.normal(size=(classes, RANK))
    y = np.repeat(np.arange(classes), each)
    x = (means[y] + noise * draw.normal(size=(len(y), RANK))) @ draw.normal(size=(RANK, D)) + draw.normal(size=D)
    names = np.array([f"c{one:03}" for one in (range(classes) if order is None else order)], dtype=object)
    return pd.Series(names[y]), x.astype(np.float32)


def exchanged(classes, one, other):
    """The classes in order, two of them exchanged."""
    order = np.arange(classes)
    order[[one, other]] = other, one
    return order


def spoiled(labels, share, seed=0):
    """Wrong labels, drawn at random, for about that share of the samples; and where they are."""
    draw, classes = np.random.default_rng(seed), sorted(labels.unique())
    wrong = draw.random(len(labels)) < share
    moved = np.where(wrong, draw.integers(1, len(classes), len(labels)), 0)
    codes = (pd.Index(classes).get_indexer(labels) + moved) % len(classes)
    return pd.Series(np.array(classes, dtype=object)[codes], labels.index), wrong
