"""What text encoders share: texts of equally many tokens make a batch, and nothing is padded."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from uml_pipeline.features.encoders import Encoder
from uml_pipeline.samples import Sample

LONGEST = 512
"""Tokens of a text; what exceeds them is cut."""
_TOKENS = 256  # of a batch: the fastest of 1 to 1024 on two cores
_POOLINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda hidden: hidden.mean(1),
    "cls": lambda hidden: hidden[:, 0],
    "last": lambda hidden: hidden[:, -1],
}
POOLINGS = tuple(_POOLINGS)
"""Of the last hidden states [text, token, dim]: over all tokens, of the first, of the last."""


class TextEncoder(Encoder):
    """Texts through a tokenizer and a network. A subclass sets `net` and `tokens`, and perhaps `pooling`."""

    modality, chunk, sequential, stepwise = "text", 256, True, True
    net: Any
    tokens: Callable[[list[str]], list[list[int]]]
    pooling: str = "mean"

    def prepare(self, samples: Sequence[Sample]) -> list[Tensor]:
        """See Encoder. Token ids [token]."""
        return [torch.tensor(ids) for ids in self.tokens([str(sample) for sample in samples])]

    def sequences(self, samples: Sequence[Sample]) -> list[Tensor]:
        """See Encoder. Token ids: hidden states would know of the tokens that are to be predicted."""
        return self.prepare(samples)

    def states(self, batch: Tensor, longest: int) -> Tensor:
        """See Encoder. The tokens' rows in the network's table of input embeddings: of all that it makes of them, what
        does not know their neighbours.
        """
        return self.net.get_input_embeddings()(batch[:, :longest])

    def size(self, shape: tuple[int, ...]) -> int:
        """See Encoder."""
        return max(1, _TOKENS // shape[0])

    def compute(self, batch: Tensor) -> Tensor:
        """See Encoder."""
        found = self.net(input_ids=batch, attention_mask=torch.ones_like(batch))
        return _POOLINGS[self.pooling](found.last_hidden_state)
