import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, load_encoder
from uml_pipeline.silo.config import SiloConfig

SILO = SiloConfig(modality="table", path="data.csv")
ROWS = [
    {"age": 20, "job": "baker", "height": 1.5, "always": 7},
    {"age": None, "job": "smith", "height": 1.7, "always": 7},
    {"age": 50, "job": "baker", "height": 1.9, "always": 7},
    {"age": 80, "job": None, "height": 1.6, "always": 7},
]
CELL = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
ROW = st.dictionaries(st.sampled_from("abc"), CELL)


def fitted(rows=ROWS):
    return create_encoder(SILO, fitted=create_encoder(SILO).fit(rows))


def columns(encoder, rows):
    """Vectors, cut into the columns of ROWS: age, age is missing, always, height, baker, smith."""
    return dict(zip(("age", "no age", "always", "height", "baker", "smith"), encoder.encode(rows).T, strict=True))


def test_numbers_are_standardised_as_scikit_learn_does():
    vectors = columns(fitted(), ROWS)
    height = [[row["height"]] for row in ROWS]
    assert np.allclose(vectors["height"], StandardScaler().fit_transform(height)[:, 0])
    ages = StandardScaler().fit([[20], [50], [80]])
    assert np.allclose(vectors["age"], ages.transform([[20], [50], [50], [80]])[:, 0])  # the median for the missing one
    assert vectors["no age"].tolist() == [0, 1, 0, 0]


def test_categories_are_one_hot_as_scikit_learn_does():
    vectors = columns(fitted(), ROWS)
    known = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit([["baker"], ["smith"]])
    expected = known.transform([[row["job"]] for row in ROWS])
    assert np.array_equal(np.stack([vectors["baker"], vectors["smith"]], 1), expected)


def test_a_constant_column_is_zero_whatever_comes():
    assert columns(fitted(), [*ROWS, {"always": 9}])["always"].tolist() == [0] * 5
    thirds = fitted([{"x": 0.1}] * 3)  # whose mean is not 0.1 exactly
    assert thirds.encode([{"x": 0.1}, {"x": 5}]).tolist() == [[0], [0]]


def test_what_training_did_not_know_gives_zeros():
    vectors = columns(fitted(), [{"job": "None", "height": 1.6, "shoe": 44}, {"job": "nan", "age": "old"}])
    assert vectors["baker"].tolist() == vectors["smith"].tolist() == [0, 0]
    assert vectors["no age"].tolist() == [1, 1]


def test_a_missing_category_is_not_the_word_none():
    missing = [{"x": None}, {"x": float("nan")}, {}]
    assert fitted([{"x": "None"}, {"x": "nan"}]).encode(missing).tolist() == [[0, 0]] * 3


def test_the_fifty_most_frequent_categories_are_kept():
    rows = [{"x": f"{place:02}"} for place in range(60)] + [{"x": f"{place:02}"} for place in range(30, 60)]
    encoder = fitted(rows)
    assert encoder.dim == 50
    assert encoder.encode(rows).sum(1).tolist() == [1] * 20 + [0] * 10 + [1] * 60


def test_outliers_are_bounded():
    vectors = columns(fitted(), [{"height": 1e90}, {"height": -1e90}, {"height": 10**400}, {"height": float("inf")}])
    assert vectors["height"].tolist()[:2] == [100, -100]
    assert np.abs(vectors["height"][2:]).max() < 1


def test_a_tiny_deviation_does_not_overflow():
    assert fitted([{"x": 0.0}, {"x": 1e-160}]).encode([{"x": -1e90}, {"x": 1e99}]).tolist() == [[-100], [100]]


@settings(deadline=None, max_examples=80)
@given(st.lists(ROW, max_size=8), st.lists(ROW, min_size=1, max_size=8))
def test_no_cell_ever_fails(training, rows):
    encoder = create_encoder(SILO)
    try:
        encoder = create_encoder(SILO, fitted=json.loads(json.dumps(encoder.fit(training), allow_nan=False)))
    except UserError:
        cells = [cell for row in training for cell in row.values() if cell is not None]
        assert not any(isinstance(cell, str) or abs(cell) < 1e100 for cell in cells)
        return
    vectors = encoder.encode(rows)
    assert vectors.shape == (len(rows), encoder.dim)
    assert np.isfinite(vectors).all()
    assert np.array_equal(np.concatenate([encoder.encode([row]) for row in rows]), vectors)


def test_the_order_of_rows_does_not_matter():
    assert fitted(ROWS[::-1]).fitted == fitted().fitted


def test_statistics_make_the_fingerprint():
    assert fitted().fingerprint == fitted().fingerprint
    assert fitted().fingerprint != fitted(ROWS[1:]).fingerprint


@pytest.mark.parametrize("rows", [[], [{}], [{"x": None}, {"x": float("nan")}]])
def test_nothing_to_learn_from(rows):
    with pytest.raises(UserError, match="hold no cells"):
        create_encoder(SILO).fit(rows)


def test_description_is_enough_to_load(tmp_path):
    encoder = fitted()
    encoder.export(tmp_path)
    description = json.loads(json.dumps(encoder.describe()))
    assert np.array_equal(load_encoder(description, tmp_path).encode(ROWS), encoder.encode(ROWS))
