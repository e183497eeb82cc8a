"""A bridge: samples like the target's, of other classes, which teach what a few target samples cannot."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from uml_pipeline.errors import UserError
from uml_pipeline.learn.splits import episodes
from uml_pipeline.trunk.arms import Setting, Solved, train
from uml_pipeline.trunk.compare import line_up
from uml_pipeline.trunk.lineup import Lineup, arms
from uml_pipeline.trunk.probe import hits
from uml_pipeline.trunk.problem import build
from uml_pipeline.trunk.silos import Silo

OWN, OTHER, RANK, D, T = 20, 60, 8, 40, 24


def named(numbers):
    return [f"c{one:02}" for one in numbers]


def silo(name, x, labels, space, modality, splits=None):
    table = pd.DataFrame({"label": labels, "group": None, "split": splits or "train"}, dtype=object)
    return Silo(name, table, x.astype(np.float32), space, modality)


@pytest.fixture
def silos():
    """Target, bridge and texts; a linear map, too wide to be learnt from the target's classes, ties texts to photos."""
    draw = np.random.default_rng(0)
    texts = draw.normal(size=(OWN + OTHER, T)) / T**0.5
    places = texts @ draw.normal(size=(T, D)) + 0.3 * draw.normal(size=(OWN + OTHER, D))
    loud = np.diag(np.r_[np.full(4, 4.0), np.full(D - 4, 0.8)])  # a few directions scatter widely

    def photos(numbers, count):
        rows = np.repeat(numbers, count)
        return places[rows] + draw.normal(size=(len(rows), D)) @ loud + 1, named(rows)

    own, others = np.arange(OWN), np.arange(OWN, OWN + OTHER)
    x, labels = photos(own, 40)
    sides = [side for _ in own for side in ("train",) * 8 + ("val",) * 8 + ("test",) * 24]
    told = np.repeat(np.arange(OWN + OTHER), 4)
    said = texts[told] + 0.1 * draw.normal(size=(len(told), T))
    return (
        silo("target", x, labels, "photo", "image", sides),
        silo("bridge", *photos(others, 30), "photo", "image"),
        silo("texts", said, named(told), "text", "text"),
    )


def posed(target, auxiliary, seed=0, shots=1):
    episode = episodes(target.manifest, shots, seed + 1)[seed]
    classes = sorted(target.manifest["label"].unique())
    problem = build(target, auxiliary, classes, episode.train, episode.val, seed)
    return problem, problem.look_at(target.x[episode.test], target.index(classes)[episode.test])


def accuracy(name, found, target, auxiliary, seeds=4):
    arm = next(arm for arm in arms(found) if arm.name == name)
    shares = []
    for seed in range(seeds):
        problem, test = posed(target, auxiliary, seed)
        fits = arm.solve(problem) if isinstance(arm, Solved) else train([arm], [problem])[0][name]
        correct, counts = hits(min(fits, key=lambda fit: fit.loss).head, test)
        shares.append(correct.sum() / counts.sum())
    return float(np.mean(shares))


def test_silos_are_told_apart(silos):
    target, bridge, texts = silos
    classes = sorted(target.manifest["label"].unique())
    beside = replace(texts, manifest=texts.manifest[texts.manifest["label"].isin(named(range(OWN, 80)))])
    beside = replace(beside, name="beside", x=texts.x[beside.manifest.index])
    found = line_up(target, [bridge, texts, beside], classes)
    assert found == Lineup(("texts",), ("beside",), ("bridge",), aligned=False)
    with pytest.raises(UserError, match="no class of 'beside'"):
        line_up(target, [texts, beside], classes)


def test_a_bridge_helps_and_texts_help_more_with_it(silos):
    target, bridge, texts = silos
    both = Lineup(("texts",), (), ("bridge",), aligned=False)
    alone = accuracy("logreg", both, target, [texts, bridge])
    bridged = max(accuracy(name, both, target, [texts, bridge]) for name in ("bridge_mean", "bridge_logreg"))
    joint = accuracy("uml_closed", both, target, [texts, bridge])
    assert bridged > alone + 0.05
    assert joint > bridged + 0.05
    assert abs(accuracy("uml_refined", both, target, [texts, bridge]) - joint) < 0.1
    without = accuracy("uml_closed", Lineup(("texts",), aligned=False), target, [texts])
    assert joint > without + 0.05


def test_gradient_uml_gains_by_a_bridge_and_texts_and_keeps_the_closed_forms_gain(silos):
    target, bridge, texts = silos
    both = Lineup(("texts",), (), ("bridge",), aligned=False)
    own, photos, init, start, closed = (
        accuracy(name, both, target, [texts, bridge])
        for name in ("unimodal_projected", "bridge_probe", "uml_init", "uml_start", "uml_closed")
    )
    assert init > max(own, photos) + 0.05
    assert abs(start - closed) < 0.05


def test_texts_of_the_bridges_classes_alone_change_nothing_that_they_say_of_no_target_class(silos):
    """They teach the map; with nothing said of the target's classes, there is nothing to map."""
    target, bridge, texts = silos
    beside = replace(texts, manifest=texts.manifest[texts.manifest["label"].isin(named(range(OWN, 80)))])
    beside = replace(beside, x=texts.x[beside.manifest.index])
    ways = [
        accuracy("bridge_mean", Lineup(bridges=("bridge",)), target, [bridge]),
        accuracy("uml_closed", Lineup(beside=("texts",), bridges=("bridge",)), target, [beside, bridge]),
    ]
    assert abs(ways[0] - ways[1]) < 0.05


def test_a_view_is_linear_and_its_samples_scatter_alike(silos):
    target, bridge, texts = silos
    problem, test = posed(target, [texts, bridge])
    view = problem.view
    assert view.classes.means.shape == (OWN + OTHER, D)
    assert view.classes.counts.tolist() == [1] * OWN + [30] * OTHER
    head = torch.randn(OWN, D)
    assert torch.allclose(test.x @ view.fold(head).T, (test.x @ torch.from_numpy(view.whiten)) @ head.T, atol=1e-4)
    spread = (test.x @ torch.from_numpy(view.whiten)).std(0)
    assert spread.max() / spread.min() < 0.7 * test.x.std(0).max() / test.x.std(0).min()
    assert problem.of(("texts",)).view.whiten is None
    assert problem.of(("bridge",)).view.classes.kernels == []


def test_an_unread_silo_and_the_order_of_silos_and_rows_change_nothing(silos):
    target, bridge, texts = silos
    order = np.random.default_rng(4).permutation(len(bridge.x))
    moved = replace(bridge, x=bridge.x[order], manifest=bridge.manifest.iloc[order])
    arm = next(arm for arm in arms(Lineup(("texts",), (), ("bridge",))) if arm.name == "uml_closed")
    setting = Setting(prior=1.0)
    heads = [
        arm.head(posed(target, auxiliary)[0].of(arm.silos), setting)
        for auxiliary in ([texts, bridge], [moved, texts], [texts, replace(texts, name="unread"), bridge])
    ]
    assert torch.allclose(heads[0], heads[1], atol=1e-3)
    assert torch.equal(heads[0], heads[2])
