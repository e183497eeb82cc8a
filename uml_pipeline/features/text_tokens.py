"""From texts to token ids, as a checkpoint of transformers does it."""

import copy
import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from uml_pipeline.features.hub_loading import Checkpoint

_PIECES = "tokenizer.model"  # SentencePiece


class Tokens(ABC):
    """A tokenizer. Never without a token: a text that has none is the token that begins, ends or pads one."""

    @abstractmethod
    def __call__(self, texts: list[str]) -> list[list[int]]:
        """Token ids of each text."""

    @abstractmethod
    def recipe(self) -> list[bytes]:
        """All that decides about the ids, for a fingerprint."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write what `tokens_of` reads."""


def tokens_of(found: Checkpoint, longest: int, *, padded: bool = False) -> Tokens:
    """The checkpoint's tokenizer. It cuts texts to `longest` tokens, or fewer where it says so, or pads all to them.

    A checkpoint of LLaMA's kind that has nothing but a SentencePiece model (OpenLLaMA) is read by SentencePiece itself:
    transformers would convert it, and what it makes of it differs (transformers#24233).

    Raises:
        ValueError, OSError, RuntimeError: there is none, or it is damaged.
    """
    from transformers import AutoTokenizer
    from transformers.utils import cached_file

    quiet = {"_raise_exceptions_for_missing_entries": False}
    if found.config.model_type == "llama" and not cached_file(found.source, "tokenizer.json", **_where(found), **quiet):
        pieces = cached_file(found.source, _PIECES, **_where(found), **quiet)
        if pieces:
            return Pieces(Path(pieces).read_bytes(), longest)
    return HubTokens(AutoTokenizer.from_pretrained(found.source, **found.options), longest, padded=padded)


class HubTokens(Tokens):
    """A tokenizer of transformers."""

    def __init__(self, tokenizer: Any, longest: int, *, padded: bool = False) -> None:
        self._tokenizer = tokenizer
        self._used = copy.deepcopy(tokenizer)  # it keeps how it is called, which is not to be shipped
        longest = min(longest, tokenizer.model_max_length)
        self._options = {"truncation": True, "max_length": longest, "padding": "max_length" if padded else False}
        special = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id, 0)
        self._empty = [next(one for one in special if one is not None)]
        self(["a"])  # what it keeps is set before several threads call it

    def __call__(self, texts: list[str]) -> list[list[int]]:
        """See Tokens."""
        found = self._used(texts, **self._options, return_attention_mask=False)["input_ids"]
        return [ids or self._empty for ids in found]

    def recipe(self) -> list[bytes]:
        """See Tokens."""
        words = [type(self._tokenizer).__name__, str(self._options)]
        if hasattr(self._tokenizer, "backend_tokenizer"):
            words.append(self._tokenizer.backend_tokenizer.to_str())
        else:
            words.append(json.dumps(self._tokenizer.get_vocab(), sort_keys=True))
            words.append(json.dumps(self._tokenizer("A b, c!  D")["input_ids"]))
        return [word.encode() for word in words]

    def save(self, folder: Path) -> None:
        """See Tokens."""
        self._tokenizer.save_pretrained(folder)


class Pieces(Tokens):
    """A SentencePiece model, after LLaMA's custom: a token begins every text, none ends it."""

    def __init__(self, model: bytes, longest: int) -> None:
        from sentencepiece import SentencePieceProcessor

        self._model, self._longest = model, longest
        self._pieces = SentencePieceProcessor(model_proto=model)

    def __call__(self, texts: list[str]) -> list[list[int]]:
        """See Tokens."""
        return [[self._pieces.bos_id(), *ids][: self._longest] for ids in self._pieces.encode(texts)]

    def recipe(self) -> list[bytes]:
        """See Tokens."""
        return [b"pieces 1", str(self._longest).encode(), self._model]

    def save(self, folder: Path) -> None:
        """See Tokens."""
        (folder / _PIECES).write_bytes(self._model)


def _where(found: Checkpoint) -> dict[str, Any]:
    return {"revision": found.options["revision"]}
