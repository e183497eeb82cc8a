from dataclasses import replace

import numpy as np
import pytest
import torch

from uml_pipeline.learn.samples import Samples
from uml_pipeline.learn.splits import episodes, held_out, is_clean
from uml_pipeline.trunk import final, tables
from uml_pipeline.trunk.arms import Fit
from uml_pipeline.trunk.compare import choose, compare
from uml_pipeline.trunk.probe import hits, mean_curve

ARMS = ("logreg", "uml_convex")


def drawn_from(target, shots=1, seeds=30, clean=False):
    drawn = episodes(target.manifest, shots, seeds)
    return [one for one in drawn if is_clean(one, target.manifest)] if clean else drawn


def by_name(results, name):
    return np.array([100 * one.test for one in results if one.arm.name == name])


@pytest.mark.parametrize("related", [True, False])
def test_convex_uml_gains_at_one_shot_if_and_only_if_class_means_are_shared(inputs, text, shuffled, related):
    """Calibrated: 44 % logistic regression, 68 % UML with shared class means and 41 % with permuted labels."""
    made = inputs([text(order=None if related else shuffled)], only=ARMS)
    results = compare(made, drawn_from(made.target, seeds=10))
    gain = by_name(results, "uml_convex") - by_name(results, "logreg")
    error = gain.std(ddof=1) / len(gain) ** 0.5
    assert 30 < by_name(results, "logreg").mean() < 60
    if related:
        assert gain.mean() > max(10, 2 * error)
    else:
        assert gain.mean() < 2 * error


def test_what_is_clearly_better_ships(inputs, text):
    made = inputs([text()], only=ARMS)
    drawn = drawn_from(made.target, seeds=50, clean=True)
    decision = choose(made, drawn, compare(made, drawn))
    assert decision.gain.low > 0
    assert (decision.ships.arm.name, decision.baseline.arm.name) == ("uml_convex", "logreg")
    assert decision.ships.arm.label in decision.reason
    described = decision.describe()
    assert (described["method"], described["against"]) == ("uml_convex", "logreg")
    assert described["val"] == vars(decision.gain)


def test_what_is_not_better_beyond_noise_does_not_ship(inputs, text, shuffled):
    made = inputs([text(order=shuffled)], only=ARMS)
    drawn = drawn_from(made.target, clean=True)
    decision = choose(made, drawn, compare(made, drawn))
    assert decision.gain.low <= 0
    assert decision.ships == decision.baseline
    assert decision.ships.arm.name == "logreg"
    assert "not better" in decision.reason


def test_without_a_silo_the_best_target_only_recipe_ships(inputs):
    made = inputs([])
    drawn = drawn_from(made.target, seeds=5, clean=True)
    results = compare(made, drawn)
    decision = choose(made, drawn, results)
    assert decision.ships == decision.baseline
    assert decision.gain is decision.describe()["val"] is None
    losses = {name: min(mean_curve([one.fits[index] for one in results if one.arm.name == name]).min()
              for index in range(len(next(one.fits for one in results if one.arm.name == name))))
              for name in ("class_mean", "logreg", "unimodal", "unimodal_mean")}  # fmt: skip
    assert decision.ships.arm.name == min(losses, key=losses.get)
    assert decision.ships.loss == pytest.approx(min(losses.values()))


def test_a_forced_silo_never_ships_however_good(inputs, text, shuffled):
    made = inputs([text(order=shuffled)], [text("friend")], only=("logreg", "uml_convex", "uml_friend"))
    drawn = drawn_from(made.target, seeds=50, clean=True)
    results = compare(made, drawn)
    assert by_name(results, "uml_friend").mean() > by_name(results, "logreg").mean() + 10
    assert choose(made, drawn, results).ships.arm.kind == "image-only"
    alone = inputs([], [text("friend")], only=("logreg", "uml_friend"))
    decision = choose(alone, drawn, compare(alone, drawn))
    assert decision.ships.arm.name == "logreg"
    assert "no auxiliary silo" in decision.reason


def test_what_ships_is_chosen_and_trained_without_the_test_split(inputs, text):
    made = inputs([text()], only=ARMS)
    drawn = drawn_from(made.target, seeds=20)
    rows = held_out(made.target.manifest)
    spoilt = made.target.x.copy()
    spoilt[rows] = np.random.default_rng(0).normal(size=(len(rows), spoilt.shape[1]))
    target = made.target
    other = replace(made, target=replace(target, x=spoilt))
    outcomes = []
    for one in (made, other):
        results = compare(one, drawn)
        decision = choose(one, drawn, results)
        outcomes.append((decision, final.refit(one, decision.ships), by_name(results, "logreg").mean()))
    (first, ships, accuracy), (second, ships_too, accuracy_too) = outcomes
    assert first.describe() == second.describe()
    assert torch.equal(ships.head, ships_too.head)
    assert np.array_equal(ships.centre, ships_too.centre)
    assert ships.samples == len(target.x) - len(rows)
    assert accuracy != accuracy_too  # the comparison did read them
    shares = [final.accuracy_on_test(one, ships, ships) for one in (made, other)]
    assert shares[0]["ships"] == shares[0]["baseline"] > 2 * shares[1]["ships"]
    assert shares[0]["samples"] == len(rows)


def test_unlabelled_samples_of_the_target_are_no_test_samples(inputs):
    made = inputs([], only=("class_mean",))
    manifest = made.target.manifest
    spared = held_out(manifest)[:5]
    some = manifest.assign(label=manifest["label"].mask(manifest.index.isin(spared)))
    other = replace(made, target=replace(made.target, manifest=some))
    for one in drawn_from(other.target, seeds=5):
        result = compare(other, [one])[0]
        assert not np.isin(one.test, spared).any()
        assert result.counts.sum() == len(one.test)


def test_hits_are_counted_by_class():
    head = torch.eye(3)
    samples = Samples(torch.eye(3)[[0, 0, 1, 2, 2]], torch.tensor([0, 1, 1, 2, 0]))
    correct, counts = hits(head, samples)
    assert correct.tolist() == [1, 1, 1]
    assert counts.tolist() == [2, 2, 1]


def test_a_run_that_stopped_counts_with_its_last_value():
    fits = [Fit(torch.zeros(1, 1), 1.0, 0, curve) for curve in ((4.0, 2.0), (2.0, 2.0, 0.0))]
    assert mean_curve(fits).tolist() == [3.0, 2.0, 1.0]


def test_tables_say_what_the_results_say(inputs, text):
    made = inputs([text()], [text("friend", seed=9)], only=("class_mean", "logreg", "uml_convex", "uml_friend"))
    drawn = [*drawn_from(made.target, 1, 4), *drawn_from(made.target, 2, 4)]
    results = compare(made, drawn)
    table = tables.runs(results)
    assert len(table) == (1 + 4 + 4 + 4) * len(drawn)
    table = table[table["chosen"]]
    assert len(table) == 4 * len(drawn)
    for row in tables.summary(table):
        scores = table.query("method == @row['method'] and shots == @row['shots']")["test"]
        assert row["seeds"] == len(scores) == 4
        assert (row["mean"], row["std"]) == pytest.approx((scores.mean(), scores.std(ddof=1)))
    gains = tables.gains(results)
    assert {(gain["method"], gain["shots"]) for gain in gains} == {
        (name, shots) for name in ("uml_convex", "uml_friend") for shots in (1, 2)
    }
    means = {(row["method"], row["shots"]): row["mean"] for row in tables.summary(table)}
    for gain in gains:
        peers = {name: means[name, gain["shots"]] for name in ("class_mean", "logreg")}
        assert gain["against"] == max(peers, key=peers.get)
        assert gain["mean"] == pytest.approx(means[gain["method"], gain["shots"]] - max(peers.values()))
        assert gain["low"] <= gain["mean"] <= gain["high"]
