import json

import numpy as np
import pytest

from tests.relevance.worlds import silo
from uml_pipeline.relevance.contributions import contributions
from uml_pipeline.relevance.geometry import agreement


def found(order=None, seed=1, classes=30, **keys):
    both = silo(classes, seed=100), silo(classes, seed=seed, order=order, **keys)
    return contributions(agreement(*both, 9).geometry, 199, 0.05, seed)


def test_all_classes_of_a_related_silo_agree():
    one = found()
    assert len(one.alike) == 30
    assert (one.off, one.unsound, one.reasons()) == ([], 0, [])
    assert [each.correlation for each in one.classes] == sorted(each.correlation for each in one.classes)


def test_of_an_unrelated_silo_hardly_any_class_agrees():
    some = [found(np.random.default_rng(seed).permutation(30), seed) for seed in range(20)]
    assert np.mean([len(one.alike) > 0 for one in some]) <= 0.2
    assert np.mean([one.unsound for one in some]) > 0.7


@pytest.mark.parametrize("seed", range(4))
def test_the_classes_that_are_off_are_named(seed):
    """Five classes in turn have each other's names."""
    order = np.arange(30)
    order[:5] = np.roll(order[:5], 1)
    one = found(order, seed)
    wrong = {f"c{place:03}" for place in range(5)}
    assert set(one.off) <= wrong  # some of the others are like the class whose name they have
    assert len(wrong & {each.name for each in one.classes[:6]}) >= 4
    assert not wrong <= set(one.alike)
    assert one.reasons()[0].endswith(f"no sign of it for {', '.join(one.off)}")
    assert not one.alarming


def test_it_can_be_kept_as_json():
    kept = json.loads(json.dumps(found().evidence(), allow_nan=False))
    assert len(kept["classes"]) == 30
    assert set(kept["classes"][0]) == {"name", "correlation", "p_value", "chance"}
