"""Further views of an image."""

from hashlib import blake2b

import numpy as np
from PIL import Image, ImageOps

_SMALLEST = 0.08  # share of the image's area, as in the paper's `randomresizedcrop`
_NARROWEST = 3 / 4  # width : height, or the other way round


def crops(image: Image.Image, count: int) -> list[Image.Image]:
    """Random parts of an image, each mirrored or not. Which ones is fixed by its pixels, never by its neighbours: the
    same image has the same crops wherever it stands, and fewer of them are the first of more.
    """
    content = blake2b(f"{image.size}".encode() + image.tobytes(), digest_size=8).digest()
    random = np.random.default_rng(int.from_bytes(content))
    return [crop(image, random) for _ in range(count)]


def crop(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """A random part of an image, 8 to 100% of its area, mirrored or not."""
    area = random.uniform(_SMALLEST, 1) * image.width * image.height
    ratio = np.exp(random.uniform(np.log(_NARROWEST), -np.log(_NARROWEST)))
    width = min(image.width, max(1, round((area * ratio) ** 0.5)))
    height = min(image.height, max(1, round((area / ratio) ** 0.5)))
    left = random.integers(image.width - width, endpoint=True)
    top = random.integers(image.height - height, endpoint=True)
    part = image.crop((int(left), int(top), int(left) + width, int(top) + height))
    return ImageOps.mirror(part) if random.random() < 0.5 else part
