"""Layers of several runs at once: their weights stand behind one another, and every product is one of stacks. A run
alone is a stack of one.
"""

import copy
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, layer_norm, linear

Some = TypeVar("Some", bound=nn.Module)


class Linear(nn.Module):
    """As torch's, of one run before training; `stack` puts more behind it."""

    def __init__(self, inward: int, outward: int, bias: bool = True) -> None:
        super().__init__()
        start = nn.Linear(inward, outward, bias)
        self.weight = nn.Parameter(start.weight.detach()[None])  # [run, outward, inward]
        self.bias = nn.Parameter(start.bias.detach()[None]) if bias else None  # [run, outward]

    def forward(self, x: Tensor) -> Tensor:
        """[run, n, inward] -> [run, n, outward]."""
        if len(self.weight) == 1:  # a product of matrices: quicker than that of stacks
            return linear(x, self.weight.squeeze(0), None if self.bias is None else self.bias.squeeze(0))
        if self.bias is None:
            return torch.bmm(x, self.weight.transpose(1, 2))
        return torch.baddbmm(self.bias[:, None], x, self.weight.transpose(1, 2))


class Norm(nn.Module):
    """As torch's LayerNorm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(1, width)), nn.Parameter(torch.zeros(1, width))  # [run, width]

    def forward(self, x: Tensor) -> Tensor:
        """[run, n, width] -> [run, n, width]."""
        return torch.addcmul(self.bias[:, None], layer_norm(x, x.shape[-1:]), self.weight[:, None])


class Embedding(nn.Module):
    """As torch's."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.Embedding(count, width).weight.detach()[None])  # [run, count, width]

    def forward(self, numbers: Tensor) -> Tensor:
        """[run, n] -> [run, n, width]."""
        runs, count, _ = self.weight.shape
        return embedding(
            numbers + count * torch.arange(runs, device=numbers.device)[:, None], self.weight.flatten(0, 1)
        )


def stack(modules: Sequence[Some]) -> Some:
    """One module of all runs, from one of each that has the same shape. They are left as they were."""
    whole, own = copy.deepcopy(modules[0]), [one.state_dict() for one in modules]
    for name, value in whole.state_dict(keep_vars=True).items():
        value.data = torch.cat([state[name] for state in own])
    return whole
