"""Text encoders of Hugging Face transformers: BERT's kind, GPT's and LLaMA's kind, T5's encoder, text towers."""

from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from uml_pipeline.errors import UserError
from uml_pipeline.features import two_towers
from uml_pipeline.features.encoders import Spec, digest
from uml_pipeline.features.hub_loading import EXPORTED, Checkpoint, opened, recipe
from uml_pipeline.features.text_nets import LONGEST, POOLINGS, TextEncoder
from uml_pipeline.features.text_tokens import Tokens, tokens_of
from uml_pipeline.features.torch_images import state_bytes

_POOLER = "pooler"  # BERT's, for its training task: many checkpoints lack it, nothing here reads it
_PADDED = "siglip"  # was trained on texts that are padded to its length, and reads the last place


class TextHubEncoder(TextEncoder):
    """`transformers/<name or folder>[?pooling=mean|cls|last&revision=...]`: last hidden states pooled over a text's
    tokens, by their mean if not told otherwise; of two towers the projected vector.
    """

    tokens: Tokens

    def __init__(self, spec: Spec) -> None:
        """Load from a folder, or by its name from the hub (or the hub's local cache).

        Raises:
            UserError: neither is possible, or it is no text network.
        """
        self.name = spec.name
        self.pooling = spec.chosen("pooling", "revision").get("pooling", "mean")
        self.net, self.tokens = _load(spec)
        self._kind = self.net.config.model_type
        self._check(spec)
        words = [b"text 1", self.pooling.encode(), *recipe(self.net), *self.tokens.recipe()]
        self.fingerprint = digest(chain(words, state_bytes(self.net.state_dict())))
        self.space = getattr(self.net.config, "space", self.fingerprint)
        with torch.inference_mode():
            self.dim = self.compute(self.prepare(["a"])[0][None]).shape[1]

    def compute(self, batch: Tensor) -> Tensor:
        """See Encoder."""
        if self._kind not in two_towers.KINDS:
            return super().compute(batch)
        mask = None if self._kind == _PADDED else torch.ones_like(batch)
        return self.net.get_text_features(input_ids=batch, attention_mask=mask).pooler_output

    def states(self, batch: Tensor, longest: int) -> Tensor:
        """See TextEncoder."""
        if self._kind not in two_towers.KINDS:
            return super().states(batch, longest)
        return self.net.text_model.get_input_embeddings()(batch[:, :longest])

    def export(self, folder: Path) -> None:
        """Write network and tokenizer into `folder`/encoder."""
        self.net.save_pretrained(folder / EXPORTED)
        self.tokens.save(folder / EXPORTED)

    def _check(self, spec: Spec) -> None:
        where, towers = f"encoder: {self.name}", self._kind in two_towers.KINDS
        if self.pooling not in POOLINGS or (towers and "pooling" in spec.options):
            fix = "remove `pooling`" if towers else f"use one of: {', '.join(POOLINGS)}"
            raise UserError(f"no such pooling: {self.pooling!r}", where=where, fix=fix)
        if not towers and self.net.main_input_name != "input_ids":
            raise UserError(f"{self._kind!r} is no text network", where=where, fix="correct `encoder` or `modality`")


def _load(spec: Spec) -> tuple[Any, Tokens]:
    """Network and tokenizer, ready to infer."""
    with opened(spec, "text") as found:
        net = _network(found)
        padded = found.config.model_type == _PADDED
        return net, tokens_of(found, _places(net, found.config), padded=padded)


def _network(found: Checkpoint) -> Any:
    """Of an encoder-decoder, its encoder."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_TEXT_ENCODING_MAPPING

    if found.config.model_type in two_towers.KINDS:
        return two_towers.tower(found, "text")
    kind = MODEL_FOR_TEXT_ENCODING_MAPPING.get(type(found.config), None)
    if kind is None and found.config.is_encoder_decoder:
        raise ValueError(f"{found.config.model_type} is an encoder-decoder whose encoder cannot be loaded alone")
    net = found.network(kind, without=[_POOLER])
    net.config.use_cache = False  # of no use without a next token
    return net


def _places(net: Any, config: Any) -> int:
    """How many tokens the network can take, or we allow. RoBERTa's kind counts places from behind those of padding."""
    text = getattr(config, "text_config", config)
    places = getattr(text, "max_position_embeddings", LONGEST)
    for name, part in net.named_modules():
        if name.endswith("position_embeddings") and isinstance(part, nn.Embedding) and part.padding_idx is not None:
            places = part.num_embeddings - part.padding_idx - 1
    return min(LONGEST, places)
