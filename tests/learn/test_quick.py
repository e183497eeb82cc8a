import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from uml_pipeline.learn import prior
from uml_pipeline.learn.quick import Draw, Hint, Quick

OWN, CLASSES, D = 7, 9, 5


def scene(seed=0, draws=3):
    """Seven classes of eight samples each, and a bridge of two more classes."""
    draw = np.random.default_rng(seed)
    means = draw.normal(size=(CLASSES, D))
    y = np.repeat(np.arange(CLASSES), 8)
    x = means[y] + 0.8 * draw.normal(size=(len(y), D))
    x = normalize(torch.from_numpy(x.astype(np.float32)), dim=1)
    own = np.flatnonzero(y < OWN)
    drawn = [np.sort(draw.permutation(own)[:20]) for _ in range(draws)]
    asked = [np.setdiff1d(own, one) for one in drawn]
    lots = [Draw(*both) for both in zip(drawn, asked, strict=True)]
    return x, y, Quick(x, y, OWN, np.flatnonzero(y >= OWN), lots), lots


def hint(seed, d, *, aligned):
    means = torch.from_numpy(np.random.default_rng(seed).normal(size=(CLASSES, d)).astype(np.float32))
    return Hint(means - means.mean(0), aligned)


@pytest.mark.parametrize("aligned", [True, False])
def test_it_is_the_posterior_of_given_strengths(aligned):
    x, y, quick, draws = scene()
    silo = hint(1, D if aligned else 11, aligned=aligned)
    trust = 0.3
    found = quick.right([silo.trusted(trust)])
    within, between = quick._within, quick._between
    maps, offsets = ([], [(trust * between) ** 0.5]) if aligned else ([trust * between], [])
    strengths = prior.Strengths(np.array(maps), np.array(offsets), (1 - trust) * between)
    for place, one in enumerate(draws):
        rows = np.concatenate([one.train, np.flatnonzero(y >= OWN)])
        counts = np.bincount(y[rows], minlength=CLASSES)
        means = np.stack([x[rows][y[rows] == k].mean(0).numpy() if counts[k] else np.zeros(D) for k in range(CLASSES)])
        kernels, shifts = ([], [silo.means.numpy()]) if aligned else ([(silo.means @ silo.means.T).numpy()], [])
        middle = quick._middle.numpy()
        seen = prior.Classes(means - middle, counts, within, kernels, shifts)
        guess = (prior.posterior(seen, strengths) + middle)[:OWN]
        guess /= np.linalg.norm(guess, axis=1, keepdims=True)
        best = (x[one.asked].numpy() @ guess.T).argmax(1)
        assert found[place].tolist() == [int(((best == k) & (y[one.asked] == k)).sum()) for k in range(OWN)]


def test_a_silo_that_is_not_trusted_changes_nothing():
    *_, quick, _ = scene()
    for aligned in (True, False):
        assert np.array_equal(quick.right(), quick.right([hint(1, D, aligned=aligned)]))


@given(st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_a_permuted_silo_keeps_its_words_and_what_it_covers(seed):
    silo = hint(seed, 4, aligned=False)
    silo.means[[1, 5]] = 0
    other = silo.permuted(np.random.default_rng(seed))
    assert other.covered.tolist() == silo.covered.tolist() == [0, 2, 3, 4, 6, 7, 8]
    assert torch.equal(other.means.sort(0).values, silo.means.sort(0).values)


def test_the_first_draws_alone_are_the_same():
    *_, quick, _ = scene()
    assert np.array_equal(quick.right(most=2), quick.right()[:2])
    assert quick.counts.sum(1).tolist() == [36, 36, 36]
