"""`vectors`: samples that are features already."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import Encoder, Spec, digest
from uml_pipeline.samples import Sample


class VectorsEncoder(Encoder):
    """Vectors as they are. Those of two silos are taken for different spaces, even if they are equally wide: nothing
    says that they came from the same network, unless both name it: `vectors/<network>`.
    """

    modality, chunk, fits = "vector", 1024, True

    def __init__(self, spec: Spec) -> None:
        """`spec.fitted` holds `dim` and `origin`, a digest that tells this silo from others."""
        spec.chosen()  # there are no options: any is the user's error
        self.name, self.fitted = spec.name, spec.fitted
        if spec.fitted is not None:
            self.dim = spec.fitted["dim"]
            self.fingerprint = digest([b"vectors", str(self.dim).encode()])
            said = f"{spec.rest} {self.dim}" if spec.rest else spec.fitted["origin"]
            self.space = digest([b"vectors", said.encode()])

    def fit(self, samples: Iterable[Sample]) -> dict[str, Any]:
        """See Encoder: the width of the first training vector.

        Raises:
            UserError: there is none.
        """
        first = next(iter(samples), None)
        if first is None:
            fix = "correct the silo's split: `train` has no vector"
            raise UserError("there are no training vectors", where=f"encoder: {self.name}", fix=fix)
        vector = cast(np.ndarray, first)
        return {"dim": vector.size, "origin": digest([vector.tobytes()])}

    def prepare(self, samples: Sequence[Sample]) -> list[Tensor]:
        """See Encoder.

        Raises:
            UserError: a vector is wider or narrower than the first one.
        """
        return [torch.tensor(self._checked(cast(np.ndarray, sample))) for sample in samples]

    def size(self, shape: tuple[int, ...]) -> int:
        """See Encoder."""
        return self.chunk

    def _checked(self, vector: np.ndarray) -> np.ndarray:
        if vector.shape != (self.dim,):
            what = f"a vector has {vector.size} numbers, the first one has {self.dim}"
            raise UserError(what, where=f"encoder: {self.name}", fix="give all vectors of this silo the same width")
        return vector
