from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.learn.splits import MOST_VAL, batches, episodes, held_out, is_clean


def grouped(groups, classes=3, each=2):
    """Every group drew every class `each` times; the manifest's own split holds out one group for val and test each."""
    sides = {0: "test", 1: "val"}
    return pd.DataFrame(
        {"label": f"c{c}", "group": f"g{g}", "split": sides.get(g, "train")}
        for c in range(classes)
        for g in range(groups)
        for _ in range(each)
    )


def ungrouped(train, val, test, classes=3):
    sides = ["train"] * train + ["val"] * val + ["test"] * test
    return pd.DataFrame({"label": f"c{c}", "group": None, "split": side} for c in range(classes) for side in sides)


manifests = st.one_of(
    st.builds(grouped, groups=st.integers(3, 6), classes=st.integers(2, 4), each=st.integers(1, 6)),
    st.builds(ungrouped, train=st.integers(1, 9), val=st.integers(1, 9), test=st.integers(1, 4)),
)


@given(manifest=manifests, shots=st.integers(1, 8), seeds=st.integers(1, 13))
@settings(max_examples=40, deadline=None)
def test_sides_never_meet_and_have_the_sizes_asked_for(manifest, shots, seeds):
    for episode in episodes(manifest, shots, seeds):
        sides = [set(rows) for rows in (episode.train, episode.val, episode.test)]
        assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
        for rows, most in ((episode.train, shots), (episode.val, min(shots, MOST_VAL))):
            counts = manifest["label"].iloc[rows].value_counts()
            assert set(counts.index) == set(manifest["label"])  # here every side has every class
            assert counts.max() <= most


@given(manifest=manifests, shots=st.integers(1, 6), seed=st.integers(0, 12))
@settings(max_examples=40, deadline=None)
def test_fewer_shots_are_part_of_more(manifest, shots, seed):
    few, more = (episodes(manifest, one, seed + 1)[seed] for one in (shots, shots + 1))
    assert set(few.train) <= set(more.train)
    assert set(few.val) <= set(more.val)
    assert np.array_equal(few.test, more.test)


@given(manifest=manifests, shots=st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_episodes_depend_on_the_seed_alone(manifest, shots):
    some, more = episodes(manifest, shots, 3), episodes(manifest, shots, 5)
    for one, other in zip(some, more[:3], strict=True):
        assert (one.seed, one.shots) == (other.seed, other.shots)
        for side in ("train", "val", "test"):
            assert np.array_equal(getattr(one, side), getattr(other, side))


def test_all_shots_are_taken_where_there_are_enough():
    episode = episodes(grouped(6, each=4), 8, 1)[0]
    assert Counter(grouped(6, each=4)["label"].iloc[episode.train]) == {"c0": 8, "c1": 8, "c2": 8}
    assert len(episode.val) == 3 * MOST_VAL


@given(groups=st.integers(3, 7), seeds=st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_no_group_on_two_sides_and_one_whole_group_tests(groups, seeds):
    manifest = grouped(groups)
    for episode in episodes(manifest, 2, seeds):
        sides = [set(manifest["group"].iloc[rows]) for rows in (episode.train, episode.val, episode.test)]
        assert sum(map(len, sides)) == len(set.union(*sides))
        assert len(sides[1]) == len(sides[2]) == 1
        assert len(episode.test) == (manifest["group"] == sides[2].pop()).sum()


@given(groups=st.integers(3, 7), turns=st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_every_group_tests_equally_often(groups, turns):
    manifest = grouped(groups)
    tests = Counter(manifest["group"].iloc[one.test[0]] for one in episodes(manifest, 1, groups * turns))
    assert set(tests.values()) == {turns}
    assert len(tests) == groups


def pairs(groups):
    """Test and validation group of each episode, through as many seeds as there are pairs."""
    manifest = grouped(groups)
    drawn = episodes(manifest, 1, groups * (groups - 1))
    return {(manifest["group"].iloc[one.test[0]], manifest["group"].iloc[one.val[0]]) for one in drawn}


@pytest.mark.parametrize("groups", [4, 6])
def test_test_and_validation_group_go_through_all_pairs(groups):
    assert len(pairs(groups)) == groups * (groups - 1)


@pytest.mark.parametrize("groups", [3, 5, 7])
def test_odd_numbers_of_groups_go_through_all_pairs(groups):
    assert len(pairs(groups)) == groups * (groups - 1)


@pytest.mark.parametrize("groups", [0, 1, 2])
def test_without_three_groups_the_manifests_split_decides(groups):
    manifest = ungrouped(4, 3, 2)
    manifest["group"] = [f"g{row % groups}" if groups else None for row in range(len(manifest))]
    for episode in episodes(manifest, 2, 3):
        assert set(manifest["split"].iloc[episode.train]) == {"train"}
        assert set(manifest["split"].iloc[episode.val]) == {"val"}
        assert np.array_equal(episode.test, held_out(manifest))
        assert is_clean(episode, manifest)


@pytest.mark.parametrize("groups", [3, 6])
def test_clean_episodes_are_those_that_learn_nothing_of_the_held_out_group(groups):
    manifest = grouped(groups, classes=40)  # with few classes, one may keep off the held-out group by chance
    drawn = episodes(manifest, 2, 2 * groups)
    clean = [one.seed for one in drawn if is_clean(one, manifest)]
    assert clean == [one.seed for one in drawn if set(manifest["group"].iloc[one.test]) == {"g0"}]
    assert len(clean) == 2


@given(samples=st.integers(1, 40), size=st.integers(1, 50), seed=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_batches_see_each_row_once_an_epoch(samples, size, seed):
    stream = batches(samples, size, np.random.default_rng(seed))
    drawn = [next(stream) for _ in range(3 * samples)]
    assert {len(batch) for batch in drawn} == {min(size, samples)}  # fewer rows than asked for: all of them
    seen = np.concatenate(drawn)
    epochs = seen[: len(seen) // samples * samples].reshape(-1, samples)
    assert (np.sort(epochs, 1) == np.arange(samples)).all()


def test_batches_are_reshuffled_and_repeatable():
    def take(seed):
        stream = batches(20, 20, np.random.default_rng(seed))
        return [next(stream).tolist() for _ in range(2)]

    assert take(0) == take(0)
    assert take(0)[0] != take(0)[1]
    assert take(0) != take(1)
