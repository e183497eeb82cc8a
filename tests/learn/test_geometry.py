import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from uml_pipeline.learn.geometry import centre_of, class_means, standardise, unit

values = st.floats(-100, 100, width=32).filter(lambda value: value == 0 or abs(value) > 1e-3)
matrices = arrays(np.float32, st.tuples(st.integers(1, 8), st.integers(1, 6)), elements=values)


@given(x=matrices, scale=st.floats(0.01, 100))
@settings(max_examples=60, deadline=None)
def test_unit_rows_have_length_one_whatever_their_scale(x, scale):
    lengths = np.linalg.norm(unit(x), axis=1)
    zero = ~x.any(1)
    assert np.allclose(lengths[~zero], 1, atol=1e-5)
    assert (lengths[zero] == 0).all()
    assert np.allclose(unit(np.float32(scale) * x), unit(x), atol=1e-5)
    assert np.allclose(unit(unit(x)), unit(x), atol=1e-6)
    assert unit(x).dtype == np.float32


def samples(rows=200, d=8, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, d)).astype(np.float32)


def test_standardise_removes_what_all_samples_share():
    shared = np.float32([4] + [0] * 7)
    seen = standardise(samples() + shared, centre_of(samples() + shared))
    assert np.allclose(np.linalg.norm(seen, axis=1), 1, atol=1e-5)
    assert np.abs(unit(samples() + shared).mean(0)).max() > 0.7
    assert np.abs(seen.mean(0)).max() < 0.1


@given(scales=arrays(np.float32, 20, elements=st.floats(0.125, 8, width=32)))
@settings(max_examples=20, deadline=None)
def test_standardise_does_not_see_the_length_of_samples(scales):
    x = samples(20)
    other = x * scales[:, None]
    assert np.allclose(standardise(x, centre_of(x)), standardise(other, centre_of(other)), atol=1e-4)


def test_standardise_turns_with_the_space():
    x, turn = samples(), np.linalg.qr(samples(8, 8, seed=1))[0]
    assert np.allclose(standardise(x @ turn, centre_of(x @ turn)), standardise(x, centre_of(x)) @ turn, atol=1e-5)


@given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=12), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_class_means_are_the_directions_of_each_class(labels, seed):
    x, y = samples(len(labels), 5, seed), np.array(labels)
    means = class_means(x, y, 5)
    for one in range(5):
        expected = unit(x[y == one].mean(0)) if (y == one).any() else np.zeros(5)
        assert np.allclose(means[one], expected, atol=1e-5)
    order = np.random.default_rng(seed).permutation(len(y))
    assert np.allclose(class_means(x[order], y[order], 5), means, atol=1e-5)
