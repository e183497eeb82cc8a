from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from uml_pipeline.errors import UserError
from uml_pipeline.samples.images import read_image


def test_transparent_parts_are_white(tmp_path):
    Image.new("RGBA", (4, 2), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (np.asarray(read_image(tmp_path / "clear.png")) == 255).all()


def test_image_is_turned_upright(tmp_path):
    image = Image.new("RGB", (4, 2))
    exif = image.getexif()
    exif[0x0112] = 6  # the camera lay on its side
    image.save(tmp_path / "photo.jpg", exif=exif)
    assert read_image(tmp_path / "photo.jpg").size == (2, 4)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    Image.new(mode, (4, 4)).save(tmp_path / "image.tiff")
    assert read_image(tmp_path / "image.tiff").mode == "RGB"


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_shades(form):
    grey = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    file = BytesIO()
    Image.fromarray(grey).save(file, form)
    read = np.asarray(read_image(file.getvalue()))
    assert np.array_equal(read, np.repeat((grey >> 8)[..., None], 3, 2))


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_shades_without_a_known_range_are_refused(kind):
    file = BytesIO()
    Image.fromarray(np.ones((4, 4), kind)).save(file, "TIFF")
    with pytest.raises(UserError, match="black and white are not known"):
        read_image(file.getvalue())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_every_way_to_hold_a_camera(form, orientation):
    """The left upper quarter of the scene is red, wherever it was stored."""
    stored = Image.new("RGB", (48, 32))
    exif = stored.getexif()
    exif[0x0112] = orientation
    at_right, below = orientation in (2, 3, 7, 8), orientation in (3, 4, 6, 7)
    stored.paste("red", (24 * at_right, 16 * below, 24 + 24 * at_right, 16 + 16 * below))
    file = BytesIO()
    stored.save(file, form, exif=exif)
    read = np.asarray(read_image(file.getvalue())).astype(int)
    assert read.shape[:2] == ((32, 48) if orientation < 5 else (48, 32))
    red = read[..., 0] > 128
    assert red[: len(red) // 2 - 4, : red.shape[1] // 2 - 4].all()
    assert not red[len(red) // 2 + 4 :].any()
    assert not red[:, red.shape[1] // 2 + 4 :].any()


@pytest.mark.parametrize("form", ["GIF", "PNG", "TIFF", "WEBP"])
def test_an_animation_is_its_first_frame(form):
    file = BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, form, save_all=True, append_images=[Image.new("RGB", (8, 8), "blue")])
    assert np.abs(np.asarray(read_image(file.getvalue())).astype(int) - [255, 0, 0]).max() <= 2


def test_cmyk_is_ink():
    file = BytesIO()
    Image.new("CMYK", (8, 8), (255, 0, 0, 0)).save(file, "JPEG")
    assert np.asarray(read_image(file.getvalue()))[0, 0].tolist() == [0, 255, 255]


def test_threads_are_refused():
    """Scaled until its shorter side has 224 pixels, this one would have a billion."""
    file = BytesIO()
    Image.new("RGB", (3, 60_000)).save(file, "PNG")
    with pytest.raises(UserError, match="thread"):
        read_image(file.getvalue())


@pytest.mark.filterwarnings("ignore:Image size")  # as a user has it
def test_bombs_are_refused(tmp_path, monkeypatch):
    Image.new("L", (64, 64)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3000)
    with pytest.raises(UserError, match="too large"):
        read_image(tmp_path / "large.png")


def test_other_formats_are_refused(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "image.eps")  # decoding it would start Ghostscript
    (tmp_path / "image.eps").rename(tmp_path / "image.png")
    with pytest.raises(UserError, match="not a readable image") as caught:
        read_image(tmp_path / "image.png")
    assert "BytesIO" not in caught.value.where
