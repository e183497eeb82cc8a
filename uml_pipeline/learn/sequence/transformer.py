"""The module that all modalities share: a causal Transformer over ragged batches (UML, sec. 2.2)."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, relu, scaled_dot_product_attention

from uml_pipeline.learn.sequence.config import NetworkConfig
from uml_pipeline.learn.sequence.dropout import BlockMasks, Masks
from uml_pipeline.learn.sequence.ragged import Ragged
from uml_pipeline.learn.sequence.stacked import Embedding, Linear, Norm


class Transformer(nn.Module):
    """A linear map, places, and blocks in which a step sees itself and the steps before it, never a later one."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.mix = Linear(config.width, config.width, bias=False)  # the paper's code has it as a 1 x 1 convolution
        self.positions = _positions(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = Norm(config.width) if config.norm == "pre" else nn.Identity()

    def forward(self, z: Tensor, batch: Ragged, masks: Masks | None = None) -> Tensor:
        """`z` of the batch's steps: [run, step, width] -> [run, step, width]. Without masks nothing is dropped."""
        z = self.mix(z)
        if self.positions is not None:
            z = z + self.positions(batch.places)
        if masks is not None:
            z = z * masks.inward
        for block, own in zip(self.blocks, masks.blocks if masks else [None] * len(self.blocks), strict=True):
            z = block(z, batch, own)
        return self.norm(z)


class Block(nn.Module):
    """Attention, then a perceptron, each added to what came in; as torch's TransformerEncoderLayer with ReLU."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.heads, self.pre = config.heads, config.norm == "pre"
        self.qkv = Linear(config.width, 3 * config.width)
        self.out = Linear(config.width, config.width)
        self.wide, self.narrow = Linear(config.width, config.hidden), Linear(config.hidden, config.width)
        self.norms = nn.ModuleList(Norm(config.width) for _ in range(2))

    def forward(self, z: Tensor, batch: Ragged, masks: BlockMasks | None = None) -> Tensor:
        """[run, step, width] -> [run, step, width]."""
        attended, perceived = self.norms
        if self.pre:
            z = z + self._attend(attended(z), batch, masks)
            return z + self._perceive(perceived(z), masks)
        z = attended(z + self._attend(z, batch, masks))
        return perceived(z + self._perceive(z, masks))

    def _attend(self, z: Tensor, batch: Ragged, masks: BlockMasks | None) -> Tensor:
        """Padding stands behind each sequence's end: the causal mask alone keeps it out of every real step, and leaves
        the fast kernels usable, which take no other mask.
        """
        parts = batch.pad(self.qkv(z))
        drops = masks.attention if masks else [None] * len(parts)
        seen = [self._seen(one, drop) for one, drop in zip(parts, drops, strict=True)]
        out = self.out(batch.unpad(seen))
        return out * masks.attended if masks else out

    def _seen(self, qkv: Tensor, drop: Tensor | None) -> Tensor:
        """Each step sees itself and those before it: [sequence, step, 3 width] -> [sequence, step, width]. Written out
        where weights are dropped: torch's own way takes no masks that were drawn elsewhere.
        """
        q, k, v = qkv.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # [sequence, head, step, width / head]
        if drop is None:
            seen = scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            later = q.new_full((1, q.shape[2], q.shape[2]), -math.inf).triu(1)
            scores = torch.baddbmm(
                later, q.flatten(0, 1), k.flatten(0, 1).transpose(1, 2), alpha=q.shape[3] ** -0.5
            )  # [sequence * head, step, step]
            seen = torch.bmm(scores.softmax(2) * drop, v.flatten(0, 1)).view(q.shape)
        return seen.transpose(1, 2).flatten(2)

    def _perceive(self, z: Tensor, masks: BlockMasks | None) -> Tensor:
        hidden = relu(self.wide(z))
        if masks is None:
            return self.narrow(hidden)
        return self.narrow(hidden * masks.hidden) * masks.perceived


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
        """[run, step] -> [run, step, width]."""
        return embedding(places, self.table)


def _positions(config: NetworkConfig) -> nn.Module | None:
    if config.positions == "none":
        return None
    if config.positions == "learned":
        return Embedding(config.longest, config.width)
    return Sinusoidal(config.longest, config.width)
