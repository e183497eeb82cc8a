"""Image files: the one way in which every stage opens them."""

import math
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from uml_pipeline.errors import UserError
from uml_pipeline.samples.files import read_bytes

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # not all of Pillow's: its EPS reader starts a program
# What Pillow raises for damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError)
_BOMB = (Image.DecompressionBombWarning, Image.DecompressionBombError)
_LONGEST = 1000  # times the other side: encoders that scale the shorter side would make gigabytes of a thread
_SHADES = {"F": "floating-point", "I": "32-bit"}  # modes whose black and white are nowhere told


def read_image(file: Path | bytes | Image.Image) -> Image.Image:
    """Decode a whole file, or its content: RGB, upright (EXIF), transparent parts on white; an animation's first frame.
    An image of Pillow is brought to that form.

    Raises:
        UserError: the file is missing, damaged, larger than Pillow's limit, a thread, of shades that have no known
            range, or no image.
    """
    if isinstance(file, Image.Image):
        return _brought(file, "a picture in memory")
    content, where = read_bytes(file)
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > (Image.MAX_IMAGE_PIXELS or math.inf):
                raise Image.DecompressionBombError(f"{image.width} x {image.height} pixels")
            return _brought(image, where)
    except _BOMB as error:
        raise UserError("the image is too large", where=f"{where}: {error}", fix="scale it down") from None
    except _DAMAGE as error:
        what = "the image is truncated" if "truncated" in str(error) else "not a readable image"
        why = str(error).partition(" <_io.")[0]  # Pillow names our buffer
        raise UserError(what, where=f"{where}: {why}", fix="replace or remove the file") from None


def _brought(image: Image.Image, where: str) -> Image.Image:
    """In the form that `read_image` promises."""
    if max(image.size) > _LONGEST * min(image.size):
        what, size = "the image is a thread", f"{image.width} x {image.height} pixels"
        raise UserError(what, where=f"{where}: {size}", fix=f"crop it: at most {_LONGEST} times as long as wide")
    if kind := _SHADES.get(image.mode):
        what = f"the image has {kind} pixels, whose black and white are not known"
        raise UserError(what, where=where, fix="save it with 8 or 16 bits")
    return _on_white(ImageOps.exif_transpose(image))


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # Pillow would cut what is brighter than 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")
