"""The module that all modalities share: a causal Transformer over ragged batches (UML, sec. 2.2)."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from uml_pipeline.learn.sequence.config import NetworkConfig
from uml_pipeline.learn.sequence.ragged import Ragged


class Transformer(nn.Module):
    """A linear map, places, and blocks in which a step sees itself and the steps before it, never a later one."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.mix = nn.Linear(config.width, config.width, bias=False)  # the paper's code has it as a 1 x 1 convolution
        self.positions = _positions(config)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width) if config.norm == "pre" else nn.Identity()

    def forward(self, z: Tensor, batch: Ragged) -> Tensor:
        """`z` of the batch's steps: [step of all, width] -> [step of all, width]."""
        z = self.mix(z)
        if self.positions is not None:
            z = z + self.positions(batch.places)
        z = self.dropout(z)
        for block in self.blocks:
            z = block(z, batch)
        return self.norm(z)


class Block(nn.Module):
    """Attention, then a perceptron, each added to what came in; as torch's TransformerEncoderLayer with ReLU."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.heads, self.pre, self.share = config.heads, config.norm == "pre", config.dropout
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)
        self.perceptron = nn.Sequential(
            nn.Linear(config.width, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.width),
        )
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(2))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, z: Tensor, batch: Ragged) -> Tensor:
        """[step of all, width] -> [step of all, width]."""
        attended, perceived = self.norms
        if self.pre:
            z = z + self.dropout(self._attend(attended(z), batch))
            return z + self.dropout(self.perceptron(perceived(z)))
        z = attended(z + self.dropout(self._attend(z, batch)))
        return perceived(z + self.dropout(self.perceptron(z)))

    def _attend(self, z: Tensor, batch: Ragged) -> Tensor:
        """Padding stands behind each sequence's end: the causal mask alone keeps it out of every real step, and leaves
        the fast kernels usable, which take no other mask.
        """
        qkv = batch.pad(self.qkv(z)).unflatten(-1, (3, self.heads, -1))  # [sequence, step, 3, head, width / heads]
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        share = self.share if self.training else 0.0
        seen = scaled_dot_product_attention(q, k, v, dropout_p=share, is_causal=True)
        return self.out(batch.unpad(seen.transpose(1, 2).flatten(2)))


class Sinusoidal(nn.Module):
    """Sines and cosines of a step's place (Vaswani et al., 2017, sec. 3.5)."""

    table: Tensor

    def __init__(self, longest: int, width: int) -> None:
        super().__init__()
        half = -(-width // 2)
        rates = torch.exp(-math.log(10_000) * torch.arange(half) / half)
        angles = torch.arange(longest)[:, None] * rates
        both = torch.stack([angles.sin(), angles.cos()], 2).flatten(1)[:, :width]
        self.register_buffer("table", both, persistent=False)

    def forward(self, places: Tensor) -> Tensor:
        """[step] -> [step, width]."""
        return self.table[places]


def _positions(config: NetworkConfig) -> nn.Module | None:
    if config.positions == "none":
        return None
    if config.positions == "learned":
        return nn.Embedding(config.longest, config.width)
    return Sinusoidal(config.longest, config.width)
