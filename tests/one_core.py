"""For folders of tests that train: import the fixture into their conftest."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def one_core() -> Iterator[None]:
    """Tiny networks on a busy machine wait for their second core longer than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
