"""The small built-in image encoder: a residual convnet whose output lies in MiniLM's text space."""

from itertools import pairwise

import torch
from torch import Tensor, nn

WIDTHS = (32, 32, 64, 128, 256)
DIM = 384  # MiniLM's


class _Block(nn.Module):
    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or width_in != width:
            self.skip = nn.Sequential(nn.Conv2d(width_in, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + self.skip(x))


class EmojiNet(nn.Module):
    """64x64 RGB images in [0, 1] to vectors: [batch, 3, 64, 64] -> [batch, 384]; 1.3 M parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, WIDTHS[0], 3, 2, 1, bias=False), nn.BatchNorm2d(WIDTHS[0]), nn.ReLU())
        self.blocks = nn.Sequential(*(_Block(a, b, 1 if a == b else 2) for a, b in pairwise(WIDTHS)))
        self.out = nn.Linear(WIDTHS[-1], DIM)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return self.out(self.grid(x).mean((2, 3)))

    def grid(self, x: Tensor) -> Tensor:
        """The last cells: [batch, 3, 64, 64] -> [batch, 256, 4, 4]."""
        return self.blocks(self.stem(x * 2 - 1))
