"""Text encoders of Hugging Face transformers: mean of the last hidden states over a text's tokens."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import Batch, Encoder, Sample, digest
from uml_pipeline.features.torch_images import state_bytes
from uml_pipeline.learn.workers import each

EXPORTED = "encoder"  # subfolder of a shipped model
_TOKENS = 256  # of a batch: the fastest of 1 to 1024 on two cores
_LONGEST = 512  # tokens of a text; what exceeds them is cut


class TransformersEncoder(Encoder):
    """Any text model that AutoModel knows; safetensors weights only, and never remote code."""

    modality = "text"

    def __init__(self, name: str, source: Path | str) -> None:
        """Load from a folder, or by its name from the hub (or the hub's local cache).

        Raises:
            UserError: neither is possible.
        """
        self.name = name
        self._tokenizer, self._model = load(source)
        self.dim = int(self._model.config.hidden_size)
        self.fingerprint = digest(
            [
                f"{type(self._model).__name__}, mean over at most {_LONGEST} tokens".encode(),
                self._model.config.to_json_string().encode(),
                self._tokenizer.backend_tokenizer.to_str().encode(),
                *state_bytes(self._model.state_dict()),
            ]
        )
        self.space = self.fingerprint  # aligned with nothing else that we know of

    def batches(self, samples: Sequence[Sample]) -> Iterator[Batch]:
        """See Encoder."""
        return batches(self._tokenizer, self._model, [str(sample) for sample in samples])

    def export(self, folder: Path) -> None:
        """Write model and tokenizer into `folder`/encoder."""
        self._model.save_pretrained(folder / EXPORTED)
        self._tokenizer.save_pretrained(folder / EXPORTED)


def load(source: Path | str) -> tuple[Any, Any]:
    """Tokenizer and model, ready to infer.

    Raises:
        UserError: not found there, or not such a model.
    """
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        model = AutoModel.from_pretrained(source, trust_remote_code=False, use_safetensors=True, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise UserError(
            f"text model {str(source)!r} cannot be loaded",
            where=str(error).splitlines()[0],
            fix="check its name and the network, or download it and give its folder: `transformers/<folder>`",
        ) from None
    return tokenizer, model.eval()


def batches(tokenizer: Any, model: Any, texts: Sequence[str]) -> Iterator[Batch]:
    """Encode texts of equal length together, without padding. Each length has its one batch size, short batches are
    filled up: kernels, and with them the last bits of a result, are chosen by shape.
    """
    if not texts:
        return  # the tokenizer would fail
    longest = min(_LONGEST, tokenizer.model_max_length)
    tokens = tokenizer(list(texts), truncation=True, max_length=longest, padding=False)["input_ids"]

    def encode(indices: list[int]) -> Batch:
        rows = [tokens[index] for index in indices]
        rows += rows[:1] * (_size(len(rows[0])) - len(rows))
        ids = torch.tensor(rows)  # [text, token]
        hidden = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state  # [text, token, dim]
        return indices, hidden.mean(1)[: len(indices)].float().numpy()

    yield from each(encode, _of_equal_length([len(ids) for ids in tokens]))


def _of_equal_length(lengths: list[int]) -> Iterator[list[int]]:
    """Indices of texts, a batch at a time."""
    by_length = defaultdict(list)
    for index, length in enumerate(lengths):
        by_length[length].append(index)
    for length, members in sorted(by_length.items()):
        for start in range(0, len(members), _size(length)):
            yield members[start : start + _size(length)]


def _size(length: int) -> int:
    """How many texts of `length` tokens make a batch."""
    return max(1, _TOKENS // length)
