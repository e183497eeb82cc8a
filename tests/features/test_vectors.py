import numpy as np
import pytest

from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, load_encoder
from uml_pipeline.silo.config import SiloConfig

VECTORS = list(np.random.default_rng(0).normal(size=(1500, 6)).astype(np.float32))
SILO = SiloConfig(modality="vector", path="data.npz")


def fitted(samples=VECTORS):
    return create_encoder(SILO, fitted=create_encoder(SILO).fit(samples))


def test_vectors_are_left_alone():
    encoder = fitted()
    assert encoder.dim == 6
    assert np.array_equal(encoder.encode(VECTORS), VECTORS)
    assert np.array_equal(encoder.encode(VECTORS[7:8]), VECTORS[7:8])


def test_read_only_memory_is_fine(tmp_path):
    np.save(tmp_path / "x.npy", VECTORS)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.array_equal(fitted().encode(list(mapped)), VECTORS)


def test_another_width_is_refused():
    with pytest.raises(UserError, match="7 numbers, the first one has 6"):
        fitted().encode([VECTORS[0], np.zeros(7, np.float32)])


def test_fit_reads_one_vector():
    def endless():
        yield VECTORS[0]
        raise AssertionError("a second one was read")

    assert create_encoder(SILO).fit(endless())["dim"] == 6


def test_no_training_vectors():
    with pytest.raises(UserError, match="no training vectors"):
        create_encoder(SILO).fit([])


def test_silos_of_one_width_are_not_taken_for_one_space():
    here, there = fitted(), fitted(VECTORS[1:])
    assert here.space == fitted().space
    assert here.space != there.space
    assert here.fingerprint == there.fingerprint != fitted([np.zeros(7, np.float32)]).fingerprint


def test_silos_that_name_one_network_share_its_space():
    named = SILO.model_copy(update={"encoder": "vectors/clip"})

    def space(samples):
        return create_encoder(named, fitted=create_encoder(named).fit(samples)).space

    assert space(VECTORS) == space(VECTORS[1:]) != fitted().space
    assert space(VECTORS) != space([np.zeros(7, np.float32)])


def test_options_are_refused():
    with pytest.raises(UserError, match="unknown option"):
        create_encoder(SILO.model_copy(update={"encoder": "vectors/clip?norm=true"}))


def test_description_is_enough_to_load(tmp_path):
    encoder = fitted()
    encoder.export(tmp_path)
    loaded = load_encoder(encoder.describe(), tmp_path)
    assert loaded.space == encoder.space
    assert np.array_equal(loaded.encode(VECTORS), VECTORS)
