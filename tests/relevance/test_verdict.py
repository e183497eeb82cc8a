import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.learn.statistics import Permutation
from uml_pipeline.relevance.config import RelevanceConfig
from uml_pipeline.relevance.geometry import FEWEST_CLASSES, Agreement, agreement
from uml_pipeline.relevance.verdict import judge

SHARED = [f"c{one}" for one in range(10)]
KEYS = {"silo", "verdict", "used", "p_value", "statistic", "null", "shared_classes", "reasons"}
ALIKE = Permutation(0.8, np.linspace(-0.3, 0.3, 199))  # p = 0.005
UNLIKE = Permutation(0.1, np.linspace(-0.3, 0.3, 199))


@pytest.mark.parametrize(
    ("test", "policy", "word", "used"),
    [
        (ALIKE, "exclude", "relevant", True),
        (ALIKE, "block", "relevant", True),
        (ALIKE, "warn", "relevant", True),
        (UNLIKE, "exclude", "irrelevant", False),
        (UNLIKE, "block", "irrelevant", False),
        (UNLIKE, "warn", "irrelevant", True),
    ],
)
def test_the_test_gives_the_word_and_the_policy_what_follows(test, policy, word, used):
    verdict = judge("text", Agreement(SHARED, test), RelevanceConfig(policy=policy))
    assert set(verdict) == KEYS
    assert (verdict["silo"], verdict["verdict"], verdict["used"]) == ("text", word, used)
    assert (verdict["p_value"], verdict["statistic"]) == (test.p_value, test.statistic)
    assert verdict["null"] == test.null.tolist()
    assert verdict["shared_classes"] == len(SHARED)
    assert f"p = {test.p_value:.3f}" in verdict["reasons"][0]
    assert ("no more than" in verdict["reasons"][0]) == (word == "irrelevant")


@pytest.mark.parametrize("policy", ["exclude", "block", "warn"])
def test_too_few_classes_is_no_verdict_and_no_exclusion(policy):
    verdict = judge("text", Agreement(SHARED[:3], None), RelevanceConfig(policy=policy))
    assert set(verdict) == KEYS
    assert (verdict["verdict"], verdict["used"], verdict["shared_classes"]) == ("cannot tell", True, 3)
    assert verdict["p_value"] is verdict["statistic"] is None
    assert verdict["null"] == []


@given(alpha=st.floats(0.001, 0.999), above=st.integers(0, 199))
@settings(max_examples=50, deadline=None)
def test_relevant_is_a_p_value_below_alpha(alpha, above):
    test = Permutation(0.5, np.array([1.0] * above + [0.0] * (199 - above)))
    verdict = judge("text", Agreement(SHARED, test), RelevanceConfig(alpha=alpha))
    assert (verdict["verdict"] == "relevant") == ((1 + above) / 200 < alpha)


def silo(classes, seed, d=6, order=None, turn=False):
    """Four samples a class around class means that all silos share, in a space of the silo's own if turned."""
    means = np.random.default_rng(0).normal(size=(20, d))[:classes]
    draw = np.random.default_rng(seed)
    x = np.repeat(means, 4, 0) + 0.3 * draw.normal(size=(4 * classes, d)) + 2
    if turn:
        x = x @ np.linalg.qr(draw.normal(size=(3 * d, 3 * d)))[0][:d]
    names = np.array([f"c{one:02}" for one in (order if order is not None else range(classes))])
    return pd.Series(np.repeat(names, 4)), x.astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_a_shared_geometry_is_seen_through_spaces_of_different_width(seed):
    found = agreement(silo(20, 100), silo(20, seed, turn=True), 199)
    assert len(found.shared) == 20
    assert found.test.p_value <= 0.02


def test_permuted_classes_agree_at_the_rate_of_chance():
    found = []
    for seed in range(40):
        order = np.random.default_rng(seed).permutation(20)
        found.append(agreement(silo(20, 100), silo(20, 1, order=order, turn=True), 99).test.p_value)
    assert np.mean(np.array(found) < 0.05) <= 0.15
    assert 0.3 < np.mean(found) < 0.7


@pytest.mark.parametrize(("classes", "tested"), [(FEWEST_CLASSES - 1, False), (FEWEST_CLASSES, True)])
def test_the_fewest_shared_classes(classes, tested):
    found = agreement(silo(20, 1), silo(classes, 2), 99)
    assert len(found.shared) == classes
    assert (found.test is not None) == tested


def test_samples_without_a_shared_label_do_not_count():
    labels, x = silo(20, 2)
    other = labels.where(labels != "c03", None).where(labels != "c04", "unheard of")
    kept = ~labels.isin(["c03", "c04"])
    one, two = (agreement(silo(20, 1), pair, 99) for pair in ((other, x), (labels[kept], x[kept.to_numpy()])))
    assert one.shared == two.shared
    assert len(one.shared) == 18
    assert one.test.statistic == two.test.statistic
    assert np.array_equal(one.test.null, two.test.null)


@given(seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_the_order_of_samples_does_not_matter(seed):
    labels, x = silo(12, 3)
    order = np.random.default_rng(seed).permutation(len(x))
    one, two = (agreement(silo(12, 1), pair, 99) for pair in ((labels, x), (labels.iloc[order], x[order])))
    assert one.test.statistic == pytest.approx(two.test.statistic, abs=1e-5)
    assert np.allclose(one.test.null, two.test.null, atol=1e-5)
