import numpy as np
import pytest
from scenes import means, side, texts

from uml_pipeline.learn.statistics import Gain
from uml_pipeline.relevance.marginal import FEWEST_CLASSES, Marginal, Marginals, adjusted
from uml_pipeline.relevance.predictive import Prediction, predict
from uml_pipeline.relevance.scene import Scene

WORLD = means()


def marginals(*silos, target=None, alpha=0.02):
    target = target or side(world=WORLD)
    return Marginals(target, silos, 1, alpha)


@pytest.mark.parametrize("space", ["here", "elsewhere"])
def test_a_silo_about_the_same_world_gains_beyond_its_permutations(space):
    found = marginals(texts(world=WORLD, space=space, noise=0.3)).of("texts").alone
    assert found.gain.low > 0
    assert found.p_value == 1 / 200
    assert max(found.permuted, found.noise) < found.gain.mean


def test_a_silo_under_wrong_names_does_not_and_costs_where_it_is_trusted():
    order = np.random.default_rng(3).permutation(len(WORLD))
    found = marginals(texts(world=WORLD[order], noise=0.3)).of("texts").alone
    assert found.p_value > 0.05
    assert found.full.high < 0
    assert found.shuffles < 199  # it ended early


def test_p_values_of_silos_without_meaning_are_those_of_chance():
    scene = Scene(side(world=WORLD[:20], samples=4), [], 1)
    drawn = []
    for seed in range(60):
        order = np.random.default_rng(seed).permutation(20)
        silo = scene.hint(texts(world=WORLD[order], seed=seed))
        drawn.append(predict(scene.quick, silo, permutations=39, seed=seed).p_value)
    assert np.mean(np.array(drawn) <= 0.1) <= 0.2
    assert 0.35 < np.mean(drawn) < 0.7


def test_too_few_classes_are_not_tried():
    few = marginals(texts(world=WORLD[: FEWEST_CLASSES - 1])).of("texts")
    assert few == Marginal(None, None)
    assert few.p_value is None
    assert marginals(texts(world=WORLD[:FEWEST_CLASSES])).of("texts").alone is not None


def test_classes_of_another_name_are_none():
    assert marginals(texts(world=WORLD, first=500)).of("texts").predictions == []


def test_a_bridge_is_tried_by_what_it_adds():
    stretch = np.full(12, 0.4, np.float32)
    stretch[:2] = 6  # directions in which samples scatter much: only many samples tell

    def stretched(**more):
        return side(noise=stretch, **more)

    target = stretched(world=WORLD, samples=5)
    bridge = stretched(name="bridge", world=means(30, 5), samples=20, first=200, seed=4)
    found = marginals(bridge, target=target).of("bridge")
    assert found.alone.gain.low > 0
    assert found.p_value is None
    assert found.beside is None


def test_texts_may_pay_only_on_top_of_a_bridge():
    bridge = side("bridge", world=means(80, 5), samples=20, first=200, seed=4)
    said = np.concatenate([WORLD, means(80, 5)])
    names = [f"c{one:03}" for one in [*range(60), *range(200, 280)]]
    told = texts(world=said, names=names, space="elsewhere", noise=0.2)
    both = marginals(told, bridge).of("texts")
    assert both.beside.gain.mean > both.alone.gain.mean


def test_holm_corrects_over_silos():
    none = Gain(0, 0, 0)

    def one(p):
        return Marginal(Prediction(none, none, 0.1, p, 0.0, 0.0, 199), None)

    found = adjusted({"a": one(0.01), "b": one(0.04), "c": one(0.03), "d": Marginal(None, None)})
    assert found == {"a": pytest.approx(0.03), "c": pytest.approx(0.06), "b": pytest.approx(0.06), "d": None}
