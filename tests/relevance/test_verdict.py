import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.learn.statistics import Gain, Permutation
from uml_pipeline.relevance.config import RelevanceConfig
from uml_pipeline.relevance.geometry import FEWEST_CLASSES, Agreement, agreement
from uml_pipeline.relevance.marginal import Marginal
from uml_pipeline.relevance.predictive import Prediction
from uml_pipeline.relevance.unlabelled import Foresight
from uml_pipeline.relevance.verdict import judge

SHARED = [f"c{one}" for one in range(10)]
ALIKE = Agreement(SHARED, Permutation(0.8, np.linspace(-0.3, 0.3, 199)))  # p = 0.005
KEYS = {"silo", "verdict", "used", "coupled", "p_value", "alone", "beside", "shots", "self_supervised", "geometry"}
KEYS |= {"shared_classes", "reasons"}


def trial(gain, full=(0.0, -1.0, 1.0), p=0.005):
    return Prediction(Gain(*gain), Gain(*full), 0.1, p, 0.0, -0.2, 199)


HELPFUL, NEUTRAL, UNSURE = trial((2, 1, 3)), trial((0.1, -0.5, 0.7)), trial((1, -1, 3))
HARMFUL = trial((-0.1, -0.5, 0.4), full=(-4, -6, -2))


@pytest.mark.parametrize(
    ("marginal", "p", "word", "used"),
    [
        (Marginal(HELPFUL, None), 0.01, "helps", True),
        (Marginal(HELPFUL, None), 0.03, "cannot tell", True),  # permuted labels would do as well
        (Marginal(UNSURE, HELPFUL), 0.01, "helps", True),
        (Marginal(HARMFUL, None), 0.6, "harms", False),
        (Marginal(HARMFUL, HARMFUL), 0.6, "harms", False),
        (Marginal(HARMFUL, UNSURE), 0.6, "cannot tell", True),
        (Marginal(HARMFUL, None), 0.01, "neutral", False),  # it has a meaning, only too much trust costs
        (Marginal(NEUTRAL, None), 0.01, "neutral", False),
        (Marginal(UNSURE, None), 0.01, "cannot tell", True),
        (Marginal(HELPFUL, None), None, "helps", True),  # a bridge: nothing to permute
        (Marginal(None, None), None, "cannot tell", True),
    ],
)
def test_trials_give_the_word_and_the_word_what_follows(marginal, p, word, used):
    verdict = judge("text", ALIKE, marginal, p, RelevanceConfig())
    assert set(verdict) == KEYS
    assert (verdict["silo"], verdict["verdict"], verdict["used"], verdict["p_value"]) == ("text", word, used, p)
    assert judge("text", ALIKE, marginal, p, RelevanceConfig(policy="warn"))["used"]
    assert judge("text", ALIKE, marginal, p, RelevanceConfig(policy="block"))["used"] == used


def test_reasons_have_the_figures():
    said = " ".join(judge("text", ALIKE, Marginal(HARMFUL, None), 0.6, RelevanceConfig(shots=2))["reasons"])
    assert "with 2 samples a class it is expected to add -0.1 points (-0.5 to +0.4)" in said
    assert "no more than it would under permuted labels (p = 0.6" in said
    assert "-4.0 points (-6.0 to -2.0)" in said
    assert "correlation 0.800, p = 0.005" in said


def test_who_cannot_tell_says_how_much_more_would():
    [said] = [
        one for one in judge("t", ALIKE, Marginal(UNSURE, None), 0.01, RelevanceConfig())["reasons"] if "times" in one
    ]
    assert said == "about 4.0 times as many labelled target samples would tell"  # half as wide an interval


def test_a_silo_without_labels_is_judged_by_its_sequences():
    found = Foresight(Gain(3, 1, 5), Gain(2, 0.5, 4), 0.01)
    verdict = judge("t", ALIKE, Marginal(None, None), None, RelevanceConfig(), coupled=False, foresight=found)
    assert (verdict["verdict"], verdict["used"], verdict["coupled"], verdict["p_value"]) == ("helps", True, False, 0.01)
    assert "3.0 % (1.0 to 5.0) lower than without it" in verdict["reasons"][0]
    assert "mode ssl" in verdict["reasons"][-1]


def test_a_gain_below_the_margin_is_neutral_if_one_says_so():
    assert judge("t", ALIKE, Marginal(UNSURE, None), 0.5, RelevanceConfig(margin=5))["verdict"] == "neutral"


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


@given(st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_the_order_of_samples_does_not_matter(seed):
    labels, x = silo(12, 3)
    order = np.random.default_rng(seed).permutation(len(x))
    one, two = (agreement(silo(12, 1), pair, 99) for pair in ((labels, x), (labels.iloc[order], x[order])))
    assert one.test.statistic == pytest.approx(two.test.statistic, abs=1e-5)
    assert np.allclose(one.test.null, two.test.null, atol=1e-5)
