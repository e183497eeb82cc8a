import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import linregress

from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, load_encoder
from uml_pipeline.features.series import statistics
from uml_pipeline.silo.config import SiloConfig

SILO = SiloConfig(modality="series", path="data.npz", encoder="builtin/series")
GENERATOR = np.random.default_rng(0)
SERIES = [
    GENERATOR.normal(size=(length, 3)).cumsum(0).astype(np.float32)
    for length in (5, 40, 7, 200, 2, 9, 30)
    for _ in "ab"
]


def fitted(samples=SERIES):
    return create_encoder(SILO, fitted=create_encoder(SILO).fit(samples))


def reference(values):
    """The statistics of one channel, by pandas and SciPy."""
    x = pd.Series(values, dtype=float)
    known = x.dropna()
    around = (x - x.mean()).to_numpy()
    memory = np.nansum(around[1:] * around[:-1]) / np.nansum(around**2)
    slope = linregress(known.index, known).slope
    ends = [x.min(), x.max(), known.iloc[0], known.iloc[-1]]
    return [x.mean(), x.std(ddof=0), *ends, x.diff().abs().mean(), slope, memory]


@pytest.mark.parametrize("series", SERIES)
def test_statistics_are_those_of_pandas_and_scipy(series):
    assert np.allclose(statistics(series), [reference(channel) for channel in series.T], rtol=1e-5, atol=1e-6)


def test_nan_steps_are_left_out():
    series = SERIES[3].copy()
    series[[0, 4, 5, 39], 0] = np.nan
    series[7, 1] = np.inf
    found = statistics(series)
    series[7, 1] = np.nan
    assert np.isfinite(found).all()
    assert np.allclose(found, [reference(channel) for channel in series.T], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("series", [np.zeros((0, 3)), np.full((4, 3), np.nan), np.ones((1, 3)), np.full((9, 3), 0.1)])
def test_what_cannot_be_known_is_at_the_training_mean(series):
    encoder, found = fitted(), statistics(series)
    vector = encoder.encode([series.astype(np.float32)])[0].reshape(3, 9)
    assert np.isnan(found).any()
    assert (vector[np.isnan(found)] == 0).all()


def test_training_series_are_standardised():
    vectors = fitted().encode(SERIES)
    assert vectors.shape == (len(SERIES), 27)
    assert np.allclose(vectors.mean(0), 0, atol=1e-6)
    assert np.allclose(vectors.std(0), 1, atol=1e-6)


def test_constant_statistics_are_zero():
    encoder = fitted([np.full((5, 1), 0.1, np.float32)] * 3)
    assert encoder.encode([np.arange(4, dtype=np.float32)[:, None]]).tolist() == [[0] * 9]


@settings(deadline=None, max_examples=60)
@given(hnp.arrays(np.float32, st.tuples(st.integers(0, 6), st.just(3))))
def test_any_series_gives_finite_numbers(series):
    vector = fitted().encode([series])
    assert np.isfinite(vector).all()


@settings(deadline=None, max_examples=30)
@given(st.lists(hnp.arrays(np.float32, st.tuples(st.integers(0, 4), st.just(2))), min_size=1, max_size=5))
def test_any_series_can_be_learnt_from(series):
    learnt = json.loads(json.dumps(create_encoder(SILO).fit(series), allow_nan=False))
    assert np.isfinite(create_encoder(SILO, fitted=learnt).encode(series)).all()


def test_neighbours_change_nothing():
    encoder = fitted()
    alone = np.concatenate([encoder.encode([one]) for one in SERIES])
    assert np.array_equal(alone, encoder.encode(SERIES))
    assert np.array_equal(alone[::-1], encoder.encode(SERIES[::-1]))


def test_another_number_of_channels_is_refused():
    with pytest.raises(UserError, match="2 channels, the training series have 3"):
        fitted().encode([SERIES[0][:, :2]])
    with pytest.raises(UserError, match="2 channels, the training series have 3"):
        create_encoder(SILO).fit([SERIES[0], SERIES[0][:, :2]])


def test_no_training_series():
    with pytest.raises(UserError, match="no training series"):
        create_encoder(SILO).fit([])


def test_description_is_enough_to_load(tmp_path):
    encoder = fitted()
    encoder.export(tmp_path)
    description = json.loads(json.dumps(encoder.describe()))
    assert np.array_equal(load_encoder(description, tmp_path).encode(SERIES), encoder.encode(SERIES))
    assert fitted(SERIES[1:]).fingerprint != encoder.fingerprint
