"""Image files: the one way in which every stage opens them."""

import math
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from uml_pipeline.errors import UserError
from uml_pipeline.samples.files import read_bytes

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # not all of Pillow's: its EPS reader starts a program
# What Pillow raises for damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError, Image.DecompressionBombWarning, Image.DecompressionBombError)


def read_image(file: Path | bytes | Image.Image) -> Image.Image:
    """Decode a whole file, or its content: RGB, upright (EXIF), transparent parts on white; an animation's first frame.
    An image of Pillow is brought to that form.

    Raises:
        UserError: the file is missing, damaged, larger than Pillow's limit, or no image.
    """
    if isinstance(file, Image.Image):
        return _on_white(ImageOps.exif_transpose(file))
    content, where = read_bytes(file)
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > (Image.MAX_IMAGE_PIXELS or math.inf):
                raise ValueError(f"{image.width} x {image.height} pixels are too many")
            return _on_white(ImageOps.exif_transpose(image))
    except _DAMAGE as error:
        what = "the image is truncated" if "truncated" in str(error) else "not a readable image"
        why = str(error).partition(" <_io.")[0]  # Pillow names our buffer
        raise UserError(what, where=f"{where}: {why}", fix="replace or remove the file") from None


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")
