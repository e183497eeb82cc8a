import json
import re

import numpy as np
import pandas as pd
import pytest

from tests.relevance.worlds import silo, spoiled
from uml_pipeline.relevance.labels import FEWEST_CLASSES, FEWEST_SAMPLES, label_noise


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 1.0])
def test_the_share_of_wrong_labels_is_estimated(share):
    labels, x = silo()
    found = [(label_noise(spoiled(labels, share, seed)[0], x), spoiled(labels, share, seed)[1]) for seed in range(20)]
    # where all are wrong, no class is like its name: what remains of it makes the estimate a little low
    assert np.mean([noise.share for noise, _ in found]) == pytest.approx(share, abs=0.03 if share < 1 else 0.06)
    if share < 1:
        assert np.mean([noise.low <= wrong.mean() <= noise.high for noise, wrong in found]) >= 0.9
    if share >= 0.3:
        assert all(noise.alarming for noise, _ in found)


@pytest.mark.parametrize(("noise", "highest"), [(0.3, 0.001), (0.6, 0.02), (1.2, 0.08)])
def test_hard_classes_are_not_wrong_labels(noise, highest):
    """The estimate errs high where classes are hard, but raises no alarm."""
    found = [label_noise(*silo(noise=noise, seed=seed)) for seed in range(40)]
    assert np.mean([one.share for one in found]) < highest
    assert np.mean([one.alarming for one in found]) <= 0.025
    assert not any("labels look wrong" in said for one in found if not one.alarming for said in one.reasons())


def test_classes_that_nobody_can_tell_apart_are_not_wrong_labels_either():
    """Pairs of the same thing under two names: half of the samples look like the other name."""
    labels, x = silo(classes=30)
    twins = labels + pd.Series(np.arange(len(labels)) % 2).map({0: "", 1: " too"})
    found = label_noise(twins, x)
    assert not found.alarming
    assert (found.suspicious["looks"] != twins[found.suspicious.index]).all()


def test_suspicious_samples_are_mostly_those_with_wrong_labels():
    labels, x = silo()
    given, wrong = spoiled(labels, 0.3)
    found = label_noise(given, x).suspicious
    assert wrong[found.index].mean() > 0.75
    assert len(found) > 0.8 * wrong.sum()
    right = found[wrong[found.index]]
    assert (right["looks"] == labels[right.index]).mean() > 0.8
    assert right["score"].between(0, 1).all()


def test_wrong_labels_in_one_direction_are_told_by_class():
    labels, x = silo(classes=10, noise=0.3)
    moved = labels.copy()
    moved[np.flatnonzero(labels == "c003")[:8]] = "c004"
    found = label_noise(moved, x)
    assert found.reasons() == ["8 of 20 samples of 'c004' look like 'c003': wrong, or hard to tell apart"]
    assert not found.alarming


def test_it_is_said_in_plain_words():
    labels, x = silo()
    [said] = label_noise(spoiled(labels, 0.3)[0], x).reasons()
    numbers = re.fullmatch(r"about (\d+)% of its labels look wrong \(95% interval (\d+) to (\d+)\)", said)
    share, low, high = map(int, numbers.groups())
    assert low < share < high


def test_rows_keep_their_index_and_those_without_a_label_do_not_count():
    labels, x = silo()
    given = spoiled(labels, 0.3)[0].mask(labels.index % 7 == 0)
    shifted = given.set_axis(given.index + 1000)
    one, two = label_noise(given, x), label_noise(shifted, x)
    assert (one.suspicious.index + 1000).equals(two.suspicious.index)
    assert given[one.suspicious.index].notna().all()
    assert one.share == two.share


@pytest.mark.parametrize(
    ("classes", "each"), [(FEWEST_CLASSES - 1, 10), (FEWEST_CLASSES, FEWEST_SAMPLES - 1)], ids=["classes", "samples"]
)
def test_too_little_to_tell(classes, each):
    assert label_noise(*silo(classes=classes, each=each)) is None


def test_the_fewest_that_are_judged():
    found = label_noise(*silo(classes=FEWEST_CLASSES, each=FEWEST_SAMPLES))
    assert found is not None
    assert json.dumps(found.evidence(), allow_nan=False)


def test_many_samples_are_scored_in_parts(monkeypatch):
    labels, x = silo()
    given, _ = spoiled(labels, 0.3)
    whole = label_noise(given, x)
    monkeypatch.setattr("uml_pipeline.relevance.labels._AT_ONCE", 7)
    parts = label_noise(given, x)
    assert whole.suspicious.equals(parts.suspicious)
    assert (whole.share, whole.low, whole.high) == (parts.share, parts.low, parts.high)
