"""Image files: the one way in which every stage opens them."""

import math
from pathlib import Path

from PIL import Image, ImageOps

from uml_pipeline.errors import UserError

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # not all of Pillow's: its EPS reader starts a program
# What Pillow raises for damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError, Image.DecompressionBombWarning, Image.DecompressionBombError)


def read_image(path: Path) -> Image.Image:
    """Decode a whole file: RGB, upright (EXIF), transparent parts on white; the first frame of an animation.

    Raises:
        UserError: the file is missing, damaged, larger than Pillow's limit, or no image.
    """
    try:
        with Image.open(path, formats=_FORMATS) as file:
            if file.width * file.height > (Image.MAX_IMAGE_PIXELS or math.inf):
                raise ValueError(f"{file.width} x {file.height} pixels are too many")
            return _on_white(ImageOps.exif_transpose(file))
    except FileNotFoundError:
        raise UserError("no such file", where=str(path), fix="correct the path") from None
    except _DAMAGE as error:
        raise UserError("not a readable image", where=f"{path}: {error}", fix="replace or remove the file") from None


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")
