from dataclasses import replace

import numpy as np
import pytest
import torch

from uml_pipeline.learn.splits import episodes
from uml_pipeline.trunk import arms as lineup
from uml_pipeline.trunk.arms import BUDGET, Lineup, Setting, arms
from uml_pipeline.trunk.compare import pose
from uml_pipeline.trunk.problem import build

NAMES = [
    "class_mean",
    "logreg",
    "unimodal",
    "unimodal_mean",
    "zero_shot",
    "uml",
    "uml_init",
    "uml_prior",
    "uml_convex",
    "uml_closed",
    "uml_refined",
]


@pytest.fixture
def problem(inputs, text):
    """One shot, and a text silo that knows nothing of the last four classes."""
    made = inputs([text(known=20)])
    return pose(made, episodes(made.target.manifest, 1, 1)[0])


def test_the_lineup():
    assert [arm.name for arm in arms(Lineup(("a", "b"), forced=("c",)))] == [*NAMES, "uml_c"]
    assert [arm.name for arm in arms(Lineup())] == NAMES[:4]
    assert "zero_shot" not in [arm.name for arm in arms(Lineup(("a",), aligned=False))]
    by_kind = {arm.name: (arm.kind, arm.silos) for arm in arms(Lineup(("a", "b"), forced=("c",)))}
    assert by_kind["uml_c"] == ("control", ("c",))
    assert by_kind["logreg"] == ("image-only", ())
    assert by_kind["uml_convex"] == ("uml", ("a", "b"))


def test_all_trained_arms_search_as_many_settings_and_no_baseline_fewer():
    counts = {arm.name: len(arm.settings) for arm in arms(Lineup(("a",), ("b",), ("d",), ("c",)))}
    assert {counts[name] for name in counts if name not in ("class_mean", "zero_shot")} == {4}


def test_uml_init_starts_at_the_silos_means_or_else_at_the_targets(problem):
    start = lineup._prototypes(problem, Setting())
    assert torch.allclose(start[:20], problem.prototypes[0][:20], atol=1e-6)
    assert problem.prototypes[0][20:].abs().sum() == 0
    assert torch.equal(start[20:], problem.means[20:])
    assert torch.allclose(start.norm(dim=1), torch.ones(24), atol=1e-6)


def test_a_prior_of_no_weight_is_the_targets_own_means(problem):
    assert torch.allclose(lineup._prior(problem, Setting(prior=0.0)), problem.means, atol=1e-6)
    near = lineup._prior(problem, Setting(prior=1e3))
    assert torch.allclose(near[:20], problem.prototypes[0][:20], atol=1e-2)
    assert torch.allclose(near[20:], problem.means[20:], atol=1e-6)


def test_convex_uml_reads_one_sample_a_class_and_none_of_unknown_classes(problem):
    seen = lineup._present(problem.prototypes[0])
    assert seen.y.tolist() == list(range(20))
    assert torch.equal(seen.x, problem.prototypes[0][:20])


def test_random_starts_follow_the_seed(problem):
    other = replace(problem, task=replace(problem.task, seed=1))
    assert torch.equal(lineup._random(problem, Setting()), lineup._random(problem, Setting()))
    assert not torch.equal(lineup._random(problem, Setting()), lineup._random(other, Setting()))


@pytest.mark.parametrize("name", NAMES)
def test_a_refit_is_the_fit_that_was_judged(problem, name):
    arm = next(arm for arm in arms(Lineup(("text",))) if arm.name == name)
    fits = arm.solve(problem)
    assert len(fits) == len(arm.settings)
    assert all(1 <= len(fit.curve) <= 1 + BUDGET.steps // BUDGET.every for fit in fits)
    for fit, setting in zip(fits, arm.settings, strict=True):
        assert torch.allclose(arm.refit(problem, setting, fit.best), fit.head, atol=2e-4)


@pytest.mark.parametrize("name", NAMES[:4])
def test_target_only_arms_never_see_a_silo(target, text, name):
    episode = episodes(target.manifest, 1, 1)[0]
    classes = sorted(target.manifest["label"].unique())
    alone, beside = (build(target, silos, classes, episode.train, episode.val, 0) for silos in ([], [text()]))
    arm = next(arm for arm in arms(Lineup()) if arm.name == name)
    for one, other in zip(arm.solve(alone), arm.solve(beside), strict=True):
        assert torch.equal(one.head, other.head)
        assert np.array_equal(one.curve, other.curve)
