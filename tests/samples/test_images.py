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


@pytest.mark.filterwarnings("ignore:Image size")  # as a user has it
def test_bombs_are_refused(tmp_path, monkeypatch):
    Image.new("L", (64, 64)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3000)
    with pytest.raises(UserError, match="not a readable image"):
        read_image(tmp_path / "large.png")


def test_other_formats_are_refused(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "image.eps")  # decoding it would start Ghostscript
    (tmp_path / "image.eps").rename(tmp_path / "image.png")
    with pytest.raises(UserError, match="not a readable image") as caught:
        read_image(tmp_path / "image.png")
    assert "BytesIO" not in caught.value.where
