from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from uml_pipeline.errors import UserError
from uml_pipeline.learn.engine import checkpoint
from uml_pipeline.learn.engine.conflict import cosines
from uml_pipeline.learn.engine.schedule import factor
from uml_pipeline.learn.engine.streams import Stream
from uml_pipeline.learn.engine.world import World


def test_the_rate_rises_then_falls_to_nothing():
    trace = [factor(step, 1000, 50) for step in range(1000)]
    assert all(one < other for one, other in pairwise(trace[:50]))
    assert trace[49] == 1
    assert trace[50] == 1
    assert all(one >= other for one, other in pairwise(trace[50:]))
    assert trace[-1] <= 1e-3
    assert trace[0] > 0
    assert factor(0, 1, 0) == 1


@given(samples=st.integers(1, 40), size=st.integers(1, 50), steps=st.integers(1, 30))
def test_each_sample_comes_once_an_epoch_whatever_the_batch(samples, size, steps):
    stream = Stream(samples, size, (0, 1))
    order = np.concatenate([stream.rows(step) for step in range(steps)])
    assert {len(stream.rows(step)) for step in range(steps)} == {min(size, samples)}
    for start in range(0, len(order) - samples + 1, samples):
        assert sorted(order[start : start + samples]) == list(range(samples))


def test_streams_are_functions_of_step_and_seed():
    stream = Stream(10, 4, (0, 1))
    later = stream.rows(7)
    assert np.array_equal(Stream(10, 4, (0, 1)).rows(7), later)
    assert not np.array_equal(Stream(10, 4, (0, 2)).rows(7), later)
    assert not np.array_equal(Stream(10, 10, (0, 1)).rows(0), Stream(10, 10, (0, 1)).rows(1))


@given(size=st.integers(1, 5), rows=st.integers(0, 20))
def test_processes_share_a_batch(size, rows):
    shares = [World(rank, size).share(np.arange(rows)) for rank in range(size)]
    assert sorted(np.concatenate(shares)) == list(range(rows))


def test_a_checkpoint_is_what_it_was(tmp_path):
    wide = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    state = {"a": wide, "b": [torch.tensor(3), {"c": wide}], "d": {"e": 0.1, "f": [1, "g", None]}, "h": {}}
    checkpoint.save(tmp_path / "new" / "file.safetensors", state)
    found = checkpoint.load(tmp_path / "new" / "file.safetensors")
    assert torch.equal(found["a"], wide)
    assert torch.equal(found["b"][1]["c"], wide)
    assert found["b"][0] == 3
    assert (found["d"], found["h"]) == (state["d"], {})
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file.safetensors"]


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_a_damaged_checkpoint_is_told(tmp_path, content):
    path = tmp_path / "file.safetensors"
    checkpoint.save(path, {"a": torch.zeros(100)})
    path.write_bytes(path.read_bytes()[:100] if content is None else content)
    with pytest.raises(UserError, match="damaged"):
        checkpoint.load(path)


def test_cosines_of_gradients():
    shared = torch.tensor([1.0, 2.0], requires_grad=True)
    apart = torch.ones(1, requires_grad=True)
    losses = {"a": 3 * shared[0], "b": shared[0] + shared[1], "c": -shared[0], "d": apart.sum()}
    [found] = cosines(losses, shared, World())
    wanted = {"a|b": 0.5**0.5, "a|c": -1, "a|d": 0, "b|c": -(0.5**0.5), "b|d": 0, "c|d": 0}
    assert found == pytest.approx(wanted)
    assert shared.grad is None
