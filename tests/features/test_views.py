import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from tests.features.test_encoders import silo
from uml_pipeline.features import create_encoder
from uml_pipeline.features.extract import batches
from uml_pipeline.features.views import crops


def views(paths, encoder="builtin/emoji", folder=None, **keys):
    """[sample, view, dim]."""
    made = create_encoder(silo(encoder, **keys), folder) if folder else create_encoder(silo(encoder, **keys))
    found = np.empty((len(paths), made.views, made.dim), np.float32)
    for indices, vectors in batches(made, paths):
        found[indices] = vectors
    return found


@pytest.mark.parametrize("keys", [{"flip": True}, {"crops": 2}, {"flip": True, "crops": 3}])
def test_the_first_view_is_the_image_as_it_is(pictures, keys):
    found = views(pictures, **keys)
    assert found.shape[1] == 1 + keys.get("flip", 0) + keys.get("crops", 0)
    assert np.array_equal(found[:, 0], views(pictures)[:, 0])
    assert len(np.unique(found.reshape(-1, 384), axis=0)) == found.shape[0] * found.shape[1]


def test_flip_is_the_mirrored_image(pictures, tmp_path):
    mirrored = [path.with_suffix(".mirrored.png") for path in pictures]
    for path, other in zip(pictures, mirrored, strict=True):
        ImageOps.mirror(Image.open(path)).save(other)
    assert np.allclose(views(pictures, flip=True)[:, 1], views(mirrored)[:, 0], atol=1e-3)


def test_crops_do_not_depend_on_order_neighbours_or_file(pictures, tmp_path):
    found = views(pictures, crops=3)
    assert np.array_equal(views(pictures[::-1], crops=3), found[::-1])
    assert np.array_equal(np.concatenate([views([path], crops=3) for path in pictures]), found)
    Image.open(pictures[0]).save(tmp_path / "same.bmp")
    assert np.array_equal(views([tmp_path / "same.bmp"], crops=3), found[:1])
    assert np.array_equal(views(pictures, crops=2), found[:, :3])  # fewer are the first of more


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_crops_are_parts_of_any_image(width, height, grey):
    image = Image.new("RGB", (width, height), (grey, grey, grey))
    for crop in crops(image, 4):
        assert 1 <= crop.width <= width and 1 <= crop.height <= height
        assert (np.asarray(crop) == grey).all()


def test_crops_differ_between_images():
    sizes = [tuple(crop.size for crop in crops(Image.new("RGB", (99, 99), (tone, 0, 0)), 3)) for tone in range(20)]
    assert len(set(sizes)) == 20
