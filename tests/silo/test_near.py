import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.silo.near import groups


def hexed(values):
    return pd.Series([f"{value:016x}" for value in values])


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63), max_size=4))
def test_hashes_that_differ_in_four_bits_are_always_found(value, bits):
    other = value
    for bit in bits:
        other ^= 1 << bit
    far = value ^ (2**64 - 1)
    one, two, three = groups(hexed([value, other, far]), "image")
    assert one == two != three


def test_groups_are_those_of_comparing_all_pairs():
    draw = np.random.default_rng(0)
    seeds = draw.integers(0, 2**63, 40, dtype=np.uint64)
    values = [
        int(seed) ^ int(sum(1 << int(bit) for bit in draw.integers(0, 64, 3))) for seed in seeds for _ in range(3)
    ]
    found = groups(hexed(values), "image").to_numpy()
    reached = np.array([[(a ^ b).bit_count() <= 4 for b in values] for a in values])
    for _ in range(8):
        reached = reached @ reached
    assert np.array_equal(found[:, None] == found, reached)


def test_texts_are_alike_only_if_their_words_are_equal():
    assert groups(hexed([7, 6, 7]), "text").tolist() == [1, 0, 1]


def test_what_has_no_hash_has_no_group():
    found = groups(pd.Series([None, f"{5:016x}", None], dtype="str"), "image")
    assert found.isna().tolist() == [True, False, True]
    assert groups(pd.Series([None], dtype="str"), "image").isna().all()
    assert groups(pd.Series([], dtype="str"), "image").empty


def test_a_crowd_of_flat_pictures_is_one_group_and_quick():
    assert groups(hexed([0] * 1000 + [1, 2**63, 2**64 - 1]), "image").nunique() == 2
    assert len(groups(hexed(range(20_000)), "image")) == 20_000
