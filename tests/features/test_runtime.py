import numpy as np
import pytest
import torch

from uml_pipeline.features.config import FeaturesConfig
from uml_pipeline.features.encoders import Encoder
from uml_pipeline.features.extract import batches
from uml_pipeline.features.runtime import Runtime


class Linear(Encoder):
    name, modality, dim, fingerprint, space = "test/linear", "vector", 4, "linear", "linear"

    def __init__(self):
        torch.manual_seed(0)
        self.net = torch.nn.Linear(3, 4)

    def prepare(self, samples):
        return [torch.from_numpy(sample) for sample in samples]

    def compute(self, batch):
        return self.net(batch)


def encoded(runtime):
    samples = list(np.random.default_rng(0).random((20, 3), np.float32))
    return np.concatenate([vectors[:, 0] for _, vectors in batches(Linear(), samples, runtime)])


def test_automatic_precision_is_float32_without_a_gpu(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    runtime = Runtime.of(FeaturesConfig())
    assert (runtime.device, runtime.dtype) == ("cpu", torch.float32)


def test_automatic_precision_is_bfloat16_on_a_gpu(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    runtime = Runtime.of(FeaturesConfig())
    assert (runtime.device, runtime.dtype) == ("cuda", torch.bfloat16)


def test_lower_precision_is_near_and_still_stored_as_float32():
    low, full = encoded(Runtime(dtype=torch.bfloat16)), encoded(Runtime())
    assert low.dtype == np.float32
    assert not np.array_equal(low, full)
    assert np.allclose(low, full, atol=0.02)


@pytest.mark.slow  # a compiler starts
@pytest.mark.filterwarnings("default")  # of the compiler
def test_compiled_is_near():
    assert np.allclose(encoded(Runtime(compile=True)), encoded(Runtime()), atol=1e-5)


def test_every_way_to_compute_has_a_cache_of_its_own():
    ways = [Runtime(), Runtime(dtype=torch.bfloat16), Runtime(device="cuda"), Runtime(compile=True)]
    assert len({runtime.name for runtime in ways}) == len(ways)
    assert Runtime(threads=1).name == Runtime(threads=2).name
