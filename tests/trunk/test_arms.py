from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from uml_pipeline.learn.splits import episodes
from uml_pipeline.trunk import closed
from uml_pipeline.trunk.arms import Setting, Solved, Trained, train
from uml_pipeline.trunk.compare import pose
from uml_pipeline.trunk.grid import Grid
from uml_pipeline.trunk.lineup import Lineup, arms
from uml_pipeline.trunk.problem import build

ALONE = ["class_mean", "logreg", "unimodal", "unimodal_mean"]
JOINT = ["uml", "uml_init", "uml_init_alone", "uml_start", "uml_convex", "uml_closed", "uml_refined"]
RIDGE = ["uml_ridge", "uml_closed_ridge"]
JOINT += RIDGE
BRIDGED = ["bridge_mean", "bridge_logreg", "bridge_probe"]
LINEUPS = [Lineup(("text",)), Lineup(("far",), aligned=False), Lineup(("text",), bridges=("photos",))]


@pytest.fixture
def problem(inputs, text, photos):
    """One shot, and text silos that know nothing of the last four classes."""
    made = inputs([text(known=20), text("far", known=20, space="other"), photos])
    return pose(made, episodes(made.target.manifest, 1, 1)[0])


def solved(arm, problem):
    return arm.solve(problem) if isinstance(arm, Solved) else train([arm], [problem])[0][arm.name]


def test_the_lineup():
    assert [arm.name for arm in arms(Lineup(("a", "b"), forced=("c",)))] == [*ALONE, "zero_shot", *JOINT, "uml_c"]
    assert [arm.name for arm in arms(Lineup())] == ALONE
    assert [arm.name for arm in arms(Lineup(("a",), aligned=False))] == [*ALONE, "unimodal_projected", *JOINT]
    assert [arm.name for arm in arms(Lineup(bridges=("d",)))] == [*ALONE, *BRIDGED]
    beside = [arm.name for arm in arms(Lineup((), ("b",), ("d",), aligned=False))]
    assert beside == [
        *ALONE,
        "unimodal_projected",
        *BRIDGED,
        *(name for name in JOINT if name not in ("uml_convex", *RIDGE)),
    ]
    by_kind = {arm.name: (arm.kind, arm.silos) for arm in arms(Lineup(("a", "b"), (), ("d",), ("c",)))}
    assert by_kind["uml_c"] == ("control", ("c",))
    assert by_kind["uml_init_alone"] == ("uml", ("a", "b", "d"))
    assert by_kind["logreg"] == ("image-only", ())
    assert by_kind["uml_convex"] == ("uml", ("a", "b"))
    assert by_kind["uml"] == ("uml", ("a", "b", "d"))


@pytest.mark.parametrize("aligned", [True, False])
def test_all_arms_that_choose_search_as_many_settings(aligned):
    counts = {arm.name: len(arm.settings) for arm in arms(Lineup(("a",), ("b",), ("d",), ("c",), aligned))}
    assert {counts[name] for name in counts if name not in ("class_mean", "zero_shot")} == {4}


def test_a_projection_is_there_where_spaces_differ():
    for aligned in (True, False):
        by_name = {arm.name: arm for arm in arms(Lineup(("a",), (), ("d",), (), aligned)) if isinstance(arm, Trained)}
        assert not by_name["unimodal"].projection
        others = ("uml", "uml_init", "uml_start", "bridge_probe")
        assert {by_name[name].projection for name in others} == {not aligned}


def test_zero_shot_is_the_silos_means_or_else_the_targets(problem):
    own = problem.of(("text",))
    head = closed.prototypes(own, Setting())
    assert torch.allclose(head[:20], own.prototypes[0][:20], atol=1e-6)
    assert own.prototypes[0][20:].abs().sum() == 0
    assert torch.equal(head[20:], own.means[20:])
    assert torch.allclose(head.norm(dim=1), torch.ones(24), atol=1e-6)


def test_convex_uml_reads_one_sample_a_class_and_none_of_unknown_classes(problem):
    seen = closed._present(problem.prototypes[0])
    assert seen.y.tolist() == list(range(20))
    assert torch.equal(seen.x, problem.prototypes[0][:20])


@pytest.mark.parametrize("found", LINEUPS)
def test_a_refit_is_the_fit_that_was_judged(problem, found):
    for arm in arms(found):
        fits = solved(arm, problem)
        assert len(fits) == len(arm.settings)
        assert all(1 <= len(fit.curve) <= 20 for fit in fits)
        for fit, setting in zip(fits, arm.settings, strict=True):
            assert fit.head.shape == problem.means.shape
            assert torch.allclose(arm.refit(problem, setting, fit.best), fit.head, atol=3e-4), arm.name


def test_arms_trained_together_are_what_they_are_alone(problem):
    lineup = [arm for arm in arms(LINEUPS[2]) if isinstance(arm, Trained)]
    together = train(lineup, [problem, problem])
    assert [list(one) for one in together] == [[arm.name for arm in sorted_by_silos(lineup)]] * 2
    for arm in lineup:
        for one, other in zip(together[1][arm.name], solved(arm, problem), strict=True):
            assert np.allclose(one.curve, other.curve, atol=1e-4)


def sorted_by_silos(lineup):
    order = list(dict.fromkeys(arm.silos for arm in lineup))
    return sorted(lineup, key=lambda arm: order.index(arm.silos))


@pytest.mark.parametrize("name", ALONE)
def test_target_only_arms_never_see_a_silo(target, text, name):
    episode = episodes(target.manifest, 1, 1)[0]
    classes = sorted(target.manifest["label"].unique())
    alone, beside = (build(target, silos, classes, episode.train, episode.val, 0) for silos in ([], [text()]))
    arm = next(arm for arm in arms(Lineup()) if arm.name == name)
    for one, other in zip(solved(arm, alone), solved(arm, beside), strict=True):
        assert torch.equal(one.head, other.head)
        assert np.array_equal(one.curve, other.curve)


def test_uml_without_weight_is_the_control_bit_for_bit(problem):
    """Acceptance fact 1 of the method: alpha 0 equals the unimodal model with projection."""
    by_name = {arm.name: arm for arm in arms(LINEUPS[1])}
    uml, control = by_name["uml"], by_name["unimodal_projected"]
    weightless = replace(uml, settings=control.settings)
    for one, other in zip(solved(weightless, problem), solved(control, problem), strict=True):
        assert torch.equal(one.head, other.head)
        assert one.curve == other.curve


def test_a_grid_is_searched_by_every_gradient_arm(problem):
    grid = Grid(
        rates=[1e-3], decays=[0.0, 0.1], batches=[8], learn_scales=[False, True], scales=[1.0], alphas=[0.5],
        shots=["average", 2], ratios=[0.5, 2.0], steps=30, patience=1,
    )  # fmt: skip
    by_name = {arm.name: arm for arm in arms(LINEUPS[1], grid)}
    assert len(by_name["unimodal"].settings) == 4
    assert len(by_name["uml"].settings) == 16
    runs = by_name["uml"].runs()
    assert {(run.shots, run.ratio) for run in runs} == {
        (shots, ratio) for shots in ("average", 2) for ratio in (Fraction(1, 2), Fraction(2))
    }
    assert {run.batch for run in runs} == {8}
    assert {run.scale for run in runs} == {1.0}
    assert {run.scale for run in by_name["uml_start"].runs()} == {grid.start_scale}
    assert {len(fit.curve) <= 3 for fit in solved(by_name["uml"], problem)} == {True}


def test_a_ratio_that_no_schedule_has_is_refused():
    with pytest.raises(ValidationError, match="is neither a whole number"):
        Grid(ratios=[0.7])
    assert Grid(ratios=[1 / 3, 3]).ratios == [1 / 3, 3]
