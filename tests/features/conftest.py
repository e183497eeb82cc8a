import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def pictures(tmp_path):
    """Eleven images of noise: more than a batch, and of different sizes."""
    generator = np.random.default_rng(0)
    paths = [tmp_path / f"{place}.png" for place in range(11)]
    for place, path in enumerate(paths):
        Image.fromarray(generator.integers(0, 255, (50 + place, 70, 3), np.uint8)).save(path)
    return paths
