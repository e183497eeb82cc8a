"""Spoilt images: kinds and strengths mostly of ImageNet-C (Hendrycks and Dietterich, 2019), severities 1, 3, 5."""

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import cast

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from uml_pipeline.report.robustness.damage import Damage, Spoil
from uml_pipeline.samples import Sample
from uml_pipeline.samples.images import read_image

_SIDE = 224  # pixels of the images that strengths in pixels are for
Change = Callable[[Image.Image, float, np.random.Generator], Image.Image]


def damages(samples: Sequence[Sample]) -> list[Damage]:
    """Seven kinds."""
    return [
        Damage("noise", "standard deviation, 1 is white", (0.08, 0.18, 0.38), _of(noise)),
        Damage("blur", f"pixels of {_SIDE}", (2, 4, 8), _of(blur)),
        Damage("jpeg", "quality", (25, 15, 7), _of(jpeg)),
        Damage("brightness", "factor", (0.7, 0.5, 0.3), _of(brightness)),
        Damage("contrast", "factor", (0.4, 0.2, 0.05), _of(contrast)),
        Damage("pixelate", "share of the pixels a side", (0.6, 0.4, 0.25), _of(pixelate)),
        Damage("rotation", "degrees", (10, 20, 40), _of(rotation)),
    ]


def _of(change: Change) -> Spoil:
    """From file to file, with nothing lost but what the change loses."""

    def spoil(sample: Sample, strength: float, draw: np.random.Generator) -> bytes:
        buffer = BytesIO()
        change(read_image(cast(bytes, sample)), strength, draw).save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()

    return spoil


def noise(image: Image.Image, strength: float, draw: np.random.Generator) -> Image.Image:
    """Gaussian, in every channel."""
    pixels = np.asarray(image, np.float64)
    spoilt = pixels + 255 * strength * draw.normal(size=pixels.shape)
    return Image.fromarray(np.clip(spoilt.round(), 0, 255).astype(np.uint8))


def blur(image: Image.Image, strength: float, draw: np.random.Generator) -> Image.Image:
    """Gaussian."""
    return image.filter(ImageFilter.GaussianBlur(strength * min(image.size) / _SIDE))


def jpeg(image: Image.Image, strength: float, draw: np.random.Generator) -> Image.Image:
    """What its compression leaves."""
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=int(strength))
    return read_image(buffer.getvalue())


def brightness(image: Image.Image, strength: float, draw: np.random.Generator) -> Image.Image:
    """Darker."""
    return ImageEnhance.Brightness(image).enhance(strength)


def contrast(image: Image.Image, strength: float, draw: np.random.Generator) -> Image.Image:
    """Greyer."""
    return ImageEnhance.Contrast(image).enhance(strength)


def pixelate(image: Image.Image, strength: float, draw: np.random.Generator) -> Image.Image:
    """Smaller, and enlarged again."""
    small = image.resize([max(1, int(side * strength)) for side in image.size], Image.Resampling.BOX)
    return small.resize(image.size, Image.Resampling.NEAREST)


def rotation(image: Image.Image, strength: float, draw: np.random.Generator) -> Image.Image:
    """To either side, on white."""
    side = 1 if draw.random() < 0.5 else -1
    return image.rotate(side * strength, Image.Resampling.BILINEAR, fillcolor="white")
