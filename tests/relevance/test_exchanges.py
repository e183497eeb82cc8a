import json

import numpy as np
import pytest

from tests.relevance.worlds import exchanged, silo
from uml_pipeline.relevance.exchanges import ALPHA, exchanges
from uml_pipeline.relevance.geometry import Geometry, agreement

CLASSES = 30


def found(order=None, seed=1, classes=CLASSES, **keys):
    geometry = agreement(silo(classes, seed=100 + seed), silo(classes, seed=seed, order=order, **keys), 9).geometry
    return exchanges(geometry, seed)


@pytest.mark.parametrize(("moved", "least"), [(0.0, 0.9), (0.5, 0.8)])
def test_two_exchanged_classes_are_named_and_no_others(moved, least):
    pairs = [np.random.default_rng(seed).choice(CLASSES, 2, replace=False) for seed in range(30)]
    named = [found(exchanged(CLASSES, *pair), seed, moved=moved).pairs for seed, pair in enumerate(pairs)]
    right = [f"c{one:03} c{other:03}" for one, other in map(sorted, pairs)]
    said = [" ".join(sorted((pair.one, pair.other))) for some in named for pair in some]
    assert set(said) <= set(right)
    assert len(said) >= least * len(pairs)


@pytest.mark.parametrize("moved", [0.0, 0.5, 1.5])
def test_a_silo_whose_names_are_right_is_hardly_ever_accused(moved):
    assert np.mean([found(seed=seed, moved=moved).alarming for seed in range(60)]) <= 5 * ALPHA


def test_nor_is_one_that_has_nothing_to_do_with_the_target():
    orders = [np.random.default_rng(seed).permutation(CLASSES) for seed in range(60)]
    assert np.mean([found(order, seed).alarming for seed, order in enumerate(orders)]) <= 5 * ALPHA


def test_two_exchanges_are_two_pairs():
    order = exchanged(CLASSES, 3, 17)
    order[[8, 22]] = order[[22, 8]]
    pairs = found(order).pairs
    assert {frozenset((pair.one, pair.other)) for pair in pairs} == {
        frozenset(("c003", "c017")),
        frozenset(("c008", "c022")),
    }


def test_what_is_said_and_kept():
    one = found(exchanged(CLASSES, 3, 17))
    [said] = one.reasons()
    assert said.startswith("'c003' and 'c017' seem to be exchanged, here or in the target")
    kept = json.loads(json.dumps(one.evidence(), allow_nan=False))
    assert [{"c003", "c017"}] == [{pair["one"], pair["other"]} for pair in kept["exchanged"]]
    assert (found().alarming, found().reasons(), found().evidence()) == (False, [], {"exchanged": []})


def test_classes_that_cannot_be_told_apart_are_no_bug():
    flat = np.ones((10, 10), np.float32)
    assert exchanges(Geometry([str(one) for one in range(10)], flat, flat, None)).pairs == []
