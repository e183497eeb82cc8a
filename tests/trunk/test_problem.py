from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.learn.geometry import centre_of, class_means, standardise, unit
from uml_pipeline.learn.splits import episodes
from uml_pipeline.trunk.compare import pose
from uml_pipeline.trunk.problem import build
from uml_pipeline.trunk.projection import project
from uml_pipeline.trunk.silos import Silo


@pytest.fixture
def episode(target):
    return episodes(target.manifest, 2, 1)[0]


def classes_of(target):
    return sorted(target.manifest["label"].unique())


@given(classes=st.integers(12, 30), d=st.integers(3, 10), wide=st.integers(3, 10), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_projection_finds_a_linear_map(classes, d, wide, seed):
    """Where the target's class means are a rotation (and padding) of the silo's, samples land on their class."""
    draw = np.random.default_rng(seed)
    own = unit(draw.normal(size=(classes, d)))
    turn = np.linalg.qr(draw.normal(size=(d + wide, d + wide)))[0][:d]  # keeps lengths and angles
    y = np.repeat(np.arange(classes), 3)
    seen = project(own[y].astype(np.float32), y, unit(own @ turn).astype(np.float32))
    assert seen.shape == (len(y), d + wide)
    assert seen.dtype == np.float32
    assert (seen * (own @ turn)[y]).sum(1).min() > 0.99


def test_projection_serves_classes_that_only_the_silo_knows():
    draw = np.random.default_rng(0)
    own, turn = unit(draw.normal(size=(30, 6))), np.linalg.qr(draw.normal(size=(9, 9)))[0][:6]
    means = (own @ turn).astype(np.float32)
    blind = means.copy()
    blind[20:] = 0
    seen = project(own.astype(np.float32), np.arange(30), blind)
    assert (seen * means).sum(1).min() > 0.99


def test_silos_of_another_space_and_width_are_brought_into_the_targets(target, text, episode):
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(50, 50)))[0][:32]
    near, far = text(), text(turn=turn, space="other")
    assert far.x.shape[1] == 50
    classes = classes_of(target)
    problem = build(target, [near, far], classes, episode.train, episode.val, 0)
    assert problem.prototypes.shape == (2, len(classes), 32)
    assert torch.allclose(problem.prototypes.norm(dim=2), torch.ones(2, len(classes)), atol=1e-5)
    agreement = (problem.prototypes[1] * problem.means).sum(1)
    assert agreement.mean() > 0.5
    worse = build(target, [text(turn=turn[:, :32], space="shared")], classes, episode.train, episode.val, 0)
    assert (worse.prototypes[0] * worse.means).sum(1).mean() < 0.2  # the same without a projection


def test_a_silo_of_the_same_space_is_only_standardised(target, text, episode):
    silo = text()
    classes = classes_of(target)
    problem = build(target, [silo], classes, episode.train, episode.val, 0)
    seen = class_means(standardise(silo.x, centre_of(silo.x)), silo.index(classes), len(classes))
    assert torch.equal(problem.prototypes[0], torch.from_numpy(seen))


def test_the_target_is_seen_by_its_training_rows_alone(target, text, episode):
    classes = classes_of(target)
    changed = target.x.copy()
    others = np.setdiff1d(np.arange(len(changed)), episode.train)
    changed[others] = np.random.default_rng(0).normal(size=(len(others), 32))
    silos = [text(), text("far", space="other")]
    one, other = (
        build(replace(target, x=x), silos, classes, episode.train, episode.val, 0) for x in (target.x, changed)
    )
    assert np.array_equal(one.centre, other.centre)
    assert torch.equal(one.means, other.means)
    assert torch.equal(one.prototypes, other.prototypes)
    assert torch.equal(one.train.x, other.train.x)
    assert not torch.equal(one.val.x, other.val.x)


def test_samples_of_classes_that_the_target_does_not_know_are_left_out(target, text, episode):
    silo = text()
    strange = silo.manifest.assign(label=["unheard of"] * 16 + silo.manifest["label"].tolist()[16:])
    problem = build(target, [replace(silo, manifest=strange)], classes_of(target), episode.train, episode.val, 0)
    assert problem.prototypes[0][:2].abs().sum() == 0


def test_classes_are_numbered_by_name():
    silo = Silo("one", pd.DataFrame({"label": ["b", "a", None, "z"]}), np.zeros((4, 2), np.float32), "s", "text")
    assert silo.index(["a", "b"]).tolist() == [1, 0, -1, -1]


def test_some_silos_of_a_problem(inputs, text, episode):
    made = inputs([text("a"), text("b", seed=4), text("c", seed=5)])
    problem = pose(made, episode)
    part = problem.of(("c", "a"))
    assert part.silos == ("c", "a")
    assert torch.equal(part.prototypes, problem.prototypes[[2, 0]])
    assert problem.of(()).prototypes.shape == (0, 24, 32)


def test_looking_at_samples_is_what_was_done_to_the_targets_own(target, text, episode):
    classes = classes_of(target)
    problem = build(target, [], classes, episode.train, episode.val, 0)
    again = problem.look_at(target.x[episode.train], target.index(classes)[episode.train])
    assert torch.allclose(again.x, problem.train.x, atol=1e-6)
    assert torch.equal(again.y, problem.train.y)
    means = class_means(again.x.numpy(), again.y.numpy(), len(classes))
    assert np.allclose(problem.means, means, atol=1e-5)


@pytest.mark.parametrize("space", ["shared", "other"])
def test_a_silo_without_a_shared_class_does_no_harm(target, text, episode, space):
    silo = text(space=space)
    strange = silo.manifest.assign(label="unheard of")
    problem = build(
        target, [replace(silo, manifest=strange, space=space)], classes_of(target), episode.train, episode.val, 0
    )
    assert problem.prototypes.abs().sum() == 0
