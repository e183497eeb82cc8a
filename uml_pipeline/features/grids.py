"""Images as grids of what a frozen network makes of their parts: a vision transformer's patches, a convnet's cells."""

import math

from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d


def grid_of(tokens: Tensor, images: Tensor) -> Tensor:
    """One token a patch, row by row, as a grid of the images' shape: [image, patch, d] -> [image, d, row, column]."""
    height, width = images.shape[-2:]
    rows = round(math.sqrt(tokens.shape[1] * height / width))
    return tokens.mT.unflatten(2, (rows, -1))


def cells(grid: Tensor, most: int) -> Tensor:
    """A grid as sequences, row by row, averaged down to at most `most` cells: [image, d, row, column] ->
    [image, cell, d].
    """
    side = math.isqrt(most)
    rows, columns = grid.shape[-2:]
    return adaptive_avg_pool2d(grid, (min(side, rows), min(side, columns))).flatten(2).mT
