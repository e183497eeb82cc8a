"""From rows of a silo to what its branch of the network takes, in threads: decoding, augmentation, stacking."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import Encoder
from uml_pipeline.features.samples import Samples
from uml_pipeline.features.torch_images import ImageEncoder
from uml_pipeline.features.views import crop
from uml_pipeline.samples.images import read_image
from uml_pipeline.trunk.finetune.encoding import Prepared

Rows = NDArray[np.int64]
Seed = tuple[int, ...]


@dataclass(frozen=True)
class Batch:
    """Samples of one modality with their classes, both in the order of the stacks."""

    prepared: Prepared
    y: Tensor  # [n]

    def to(self, device: torch.device) -> "Batch":
        """On a device."""
        return Batch([stack.to(device) for stack in self.prepared], self.y.to(device))


class Source(Protocol):
    """Where a modality's samples come from."""

    def __len__(self) -> int: ...

    def take(self, rows: Rows, seed: Seed | None) -> Batch:
        """Samples by their place; `seed` of what augmentation draws, absent: without augmentation."""


@dataclass(frozen=True)
class Vectors:
    """A frozen silo: the features of the stage before."""

    x: Tensor  # [n, d]
    y: Tensor  # [n]

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: Rows, seed: Seed | None) -> Batch:
        """See Source."""
        places = torch.from_numpy(rows)
        return Batch([self.x[places]], self.y[places])


@dataclass(frozen=True)
class Raw:
    """Raw samples before an encoder that learns."""

    samples: Samples
    y: Tensor  # [n]
    encoder: Encoder
    augment: str = "center"

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: Rows, seed: Seed | None) -> Batch:
        """See Source. Samples of one shape are stacked: nothing is padded."""
        stacks: dict[tuple[int, ...], list[tuple[Tensor, int]]] = defaultdict(list)
        for row in rows:
            # by the sample, not its place in the batch: processes that share a batch draw what one would
            draw = None if seed is None else np.random.default_rng([*seed, int(row)])
            tensor = self._prepared(int(row), draw)
            stacks[tuple(tensor.shape)].append((tensor, int(row)))
        stacked = [torch.stack([tensor for tensor, _ in same]) for same in stacks.values()]
        return Batch(stacked, self.y[[row for same in stacks.values() for _, row in same]])

    def _prepared(self, row: int, draw: np.random.Generator | None) -> Tensor:
        sample = self.samples[row]
        if draw is None or self.augment == "center":
            return self.encoder.prepare([sample])[0]
        if not isinstance(self.encoder, ImageEncoder):
            fix = "remove `augment`: it is for images"
            raise UserError(f"{self.encoder.modality}s cannot be augmented", where="trunk.finetune.augment", fix=fix)
        image = read_image(cast(bytes, sample))
        if self.augment == "crop":
            return self.encoder.pixels(crop(image, draw))
        pixels = self.encoder.pixels(image)
        return pixels.flip(-1) if draw.random() < 0.5 else pixels
