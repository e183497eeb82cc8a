import numpy as np
import pytest

from tests.relevance.worlds import silo
from uml_pipeline.relevance.geometry import agreement


def test_both_statistics_see_a_shared_geometry_and_no_other():
    found = agreement(silo(seed=100), silo(seed=1), 99)
    assert found.test.p_value == found.cka.p_value == 0.01
    orders = [np.random.default_rng(seed).permutation(30) for seed in range(40)]
    p_values = [agreement(silo(seed=100), silo(order=order), 99).cka.p_value for order in orders]
    assert np.mean(np.array(p_values) < 0.05) <= 0.15


@pytest.mark.parametrize(("each", "noise"), [(2, 0.6), (4, 1.2), (8, 1.8)])
def test_the_noise_of_few_samples_is_taken_off(each, noise):
    """CKA falls with the number of samples; corrected, it stays what many samples show."""
    target, (labels, x) = silo(seed=100, each=200), silo(each=200, noise=noise)
    many, some = agreement(target, (labels, x), 1), []
    for seed in range(20):
        chosen = np.random.default_rng(seed).permutation(200)[:each]
        rows = (200 * np.arange(30)[:, None] + chosen).ravel()
        some.append(agreement(target, (labels.iloc[rows], x[rows]), 1))
    assert many.corrected == pytest.approx(many.cka.statistic, abs=0.02)
    assert np.mean([one.cka.statistic for one in some]) < many.corrected - 0.05
    assert np.mean([one.corrected for one in some]) == pytest.approx(many.corrected, abs=0.05)


def test_one_sample_a_class_cannot_be_corrected():
    found = agreement(silo(seed=100), silo(each=1), 9)
    assert found.cka is not None
    assert found.corrected is None


def test_where_most_is_noise_nothing_is_corrected():
    found = agreement(silo(seed=100), silo(each=2, noise=4.0), 9)
    assert found.corrected is None


def test_too_few_classes_have_nothing_to_correct():
    assert agreement(silo(classes=5), silo(classes=5), 9).corrected is None


def test_what_a_verdict_keeps():
    kept = agreement(silo(seed=100), silo(), 99).evidence()
    assert kept["cka"] < kept["cka_corrected"] <= 1
    assert kept["cka_p_value"] == 0.01
    assert agreement(silo(classes=5), silo(classes=5), 9).evidence() == dict.fromkeys(kept)
