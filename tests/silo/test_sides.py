import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.errors import UserError
from uml_pipeline.silo.manifest import GATE
from uml_pipeline.silo.splits import SPLITS, assign


def samples(ids, label="a", group=None, split=None):
    return pd.DataFrame({"sample_id": ids, "label": label, "group": group, "split": split})


@settings(deadline=None)
@given(st.sets(st.text(min_size=1), min_size=3, max_size=60))
def test_each_class_is_split_in_fixed_shares(ids):
    counts = assign(samples(sorted(ids)), group=None).value_counts()
    part = max(1, round(0.15 * len(ids)))
    assert (counts["test"], counts["val"], counts["train"]) == (part, part, len(ids) - 2 * part)


@settings(deadline=None)
@given(st.sets(st.text(min_size=1), min_size=3, max_size=60), st.integers(0, 3))
def test_an_added_sample_moves_few_others_and_none_of_another_class(ids, seed):
    before = pd.concat([samples(sorted(ids)), samples(sorted(ids), "b")], ignore_index=True)
    after = pd.concat([before, samples(["new one" * 3])], ignore_index=True)
    old, new = assign(before, group=None, seed=seed), assign(after, group=None, seed=seed)[: len(before)]
    moved = (old != new).groupby(before["label"]).sum()
    assert moved["a"] <= 4
    assert moved["b"] == 0


def test_order_does_not_matter_and_the_seed_does():
    rows = samples([f"s{number}" for number in range(100)])
    here = assign(rows, group=None)
    assert assign(rows[::-1], group=None).sort_index().equals(here)
    assert not assign(rows, group=None, seed=1).equals(here)
    assert assign(rows, group=None, seed=1).equals(assign(rows, group=None, seed=1))


def test_a_share_of_many_groups_is_held_out():
    rows = samples([str(number) for number in range(400)], group=[f"g{number % 40}" for number in range(400)])
    sides = assign(rows, group="speaker").groupby(rows["group"]).unique()
    assert sides.map(len).eq(1).all()
    assert sides.map(lambda side: side[0]).value_counts().to_dict() == {"train": 28, "val": 6, "test": 6}


def test_two_groups_are_refused():
    with pytest.raises(UserError, match="2 group"):
        assign(samples(["1", "2"], group=["a", "b"]), group="speaker")


def test_an_official_split_stays():
    rows = samples(list("1234"), split=["test", "val", "train", None])
    assert assign(rows, group=None).tolist() == ["test", "val", "train", "train"]


@pytest.mark.parametrize("official", [["train"], ["train", "test"], ["train", "val"]])
def test_sides_that_the_official_split_has_not_are_taken_out_of_train(official):
    rows = samples([str(n) for n in range(60)], split=[official[n % len(official)] for n in range(60)])
    found = assign(rows, group=None)
    assert set(found) == set(SPLITS)
    given = rows["split"] != "train"
    assert (found[given] == rows["split"][given]).all()


def test_a_silo_of_test_samples_alone_stays_so():
    assert set(assign(samples(list("abc"), split="test"), group=None)) == {"test"}


def test_unlabelled_samples_are_split_too():
    assert set(assign(samples([str(n) for n in range(20)], label=None), group=None)) == set(SPLITS)


@settings(deadline=None)
@given(st.sets(st.text(min_size=1), min_size=9, max_size=60), st.integers(0, 3), st.booleans())
def test_no_sample_leaves_or_enters_the_gate_when_others_come_or_go(ids, seed, grouped):
    names = sorted(ids)
    rows = samples(names, group=names)
    column = "speaker" if grouped else None
    before = assign(rows, group=None, gate=0.3)
    kept = rows[::2]
    some = assign(kept, group=None, gate=0.3, seed=seed)
    assert ((some == GATE) == (before[::2] == GATE)).all()
    if (before != GATE).sum() > 2:
        assert ((assign(rows, group=column, gate=0.3, seed=seed) == GATE) == (before == GATE)).all()


def test_the_gate_has_about_its_share_and_never_half_a_group():
    rows = samples([str(number) for number in range(4000)], group=[f"g{number % 400}" for number in range(4000)])
    assert 0.08 < (assign(rows, group=None, gate=0.1) == GATE).mean() < 0.12
    by_group = assign(rows, group="speaker", gate=0.1)
    assert (by_group.groupby(rows["group"]).nunique() == 1).all()
    assert 0.05 < (by_group == GATE).mean() < 0.15


def test_an_official_gate_stays_alone():
    rows = samples([str(n) for n in range(60)], split=["gate" if n < 5 else None for n in range(60)])
    found = assign(rows, group=None, gate=0.5)
    assert (found == GATE).tolist() == [n < 5 for n in range(60)]
    assert set(found) == {*SPLITS, GATE}
