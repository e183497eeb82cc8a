import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import Encoder
from uml_pipeline.features.extract import batches
from uml_pipeline.features.runtime import Runtime


class Lengths(Encoder):
    """Series of any length to (sum, length); remembers the shapes that it computed."""

    name, modality, dim, fingerprint, space = "test/lengths", "series", 2, "lengths", "lengths"

    def __init__(self):
        self.shapes = set()

    def prepare(self, samples):
        return [torch.from_numpy(sample) for sample in samples]

    def size(self, shape):
        return max(1, 12 // (shape[0] + 1))

    def compute(self, batch):
        self.shapes.add(tuple(batch.shape))
        length = torch.full((len(batch),), batch.shape[1], dtype=torch.float32)
        return torch.stack([batch.sum(1), length], 1)


def series(lengths):
    return [np.arange(length, dtype=np.float32) + place for place, length in enumerate(lengths)]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 8), max_size=60), st.integers(1, 3))
def test_every_sample_comes_once_in_batches_of_fixed_shapes(lengths, threads):
    encoder, samples = Lengths(), series(lengths)
    found = {}
    for indices, vectors in batches(encoder, samples, Runtime(threads=threads)):
        assert vectors.shape == (len(indices), 1, 2)
        for index, vector in zip(indices, vectors[:, 0], strict=True):
            assert index not in found
            found[index] = vector.tolist()
    assert found == {index: [one.sum(), len(one)] for index, one in enumerate(samples)}
    assert encoder.shapes == {(encoder.size((length,)), length) for length in set(lengths)}


def test_memory_holds_a_few_samples_at_a_time():
    opened = []

    class Lazy(list):
        def __getitem__(self, at):
            opened.append(at)
            return np.zeros(3, np.float32)

    stream = batches(Lengths(), Lazy(range(10_000)), Runtime(threads=2))
    next(stream)
    assert len(opened) < 300
    stream.close()
    assert threading.active_count() < 10


def test_an_error_reaches_the_reader():
    class Broken(Lengths):
        def prepare(self, samples):
            raise UserError("not readable")

    with pytest.raises(UserError, match="not readable"):
        list(batches(Broken(), series([1, 2])))


def test_the_number_of_torch_threads_is_left_alone():
    before = torch.get_num_threads()
    list(batches(Lengths(), series([1, 2, 3])))
    assert torch.get_num_threads() == before


def test_further_views_come_after_the_first():
    class Twice(Lengths):
        views = 2

        def compute(self, batch):
            first = super().compute(batch)
            return torch.stack([first, -first], 1)

    encoder, samples = Twice(), series([2, 3])
    [(indices, vectors)] = batches(encoder, series([3]))
    assert indices == [0]
    assert vectors.tolist() == [[[3, 3], [-3, -3]]]
    assert encoder.encode(samples).tolist() == [[1, 2], [6, 3]]
