"""One modality in a stack of runs: its samples, and what its loss adds to the gradients."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

Weights = dict[str, Tensor]  # HEAD [run, class, width], SCALES [run, modality], projections by name [run, width, k]
HEAD, SCALES = "head", "scales"


@dataclass(frozen=True, eq=False)
class Part:
    """Samples of one modality, and how they meet the weights."""

    x: Tensor  # [n, k], in the coordinates of the layer that reads them
    y: Tensor  # [class, n], one-hot, over the first `len(y)` classes of the head
    absent: Tensor | None  # [class, 1], -inf where the modality lacks the class, else 0; None if it has all
    projection: str | None  # which one its samples pass; None: the head reads them
    scale: int  # its column of SCALES
    weight: Tensor  # [run, 1, 1], of its loss
    rows: Iterator[Tensor]  # [b], of one step after the other
    every: int = 1  # a batch once in so many steps

    def add(self, weights: Weights, grads: Weights, fresh: set[str]) -> None:
        """Add the gradient of weight x mean cross-entropy on the next batch.

        `fresh` names the matrices whose gradient holds nothing yet: it is overwritten, and the name struck off.
        """
        head = weights[HEAD][:, : len(self.y)]  # [run, class, width]
        rows = next(self.rows)
        x, y = self.x.index_select(0, rows), self.y.index_select(1, rows)  # [b, k], [class, b]
        scored, read = scores(head, None if self.projection is None else weights[self.projection], x.T)
        slope = self._slope(scored, y, weights[SCALES], grads[SCALES])
        self._add_to_head(grads[HEAD], slope, x if self.projection is None else read, fresh)
        if self.projection is not None:
            back = torch.bmm(head.transpose(1, 2), slope)  # [run, width, b]
            into = grads[self.projection].flatten(0, 1)  # [run * width, k]
            into.addmm_(back.flatten(0, 1), x, beta=_kept(self.projection, fresh))

    def _add_to_head(self, grad: Tensor, slope: Tensor, read: Tensor, fresh: set[str]) -> None:
        """`read` is what the head read: one batch for all runs [b, k], or [run, width, b] behind a projection."""
        kept = _kept(HEAD, fresh)
        if len(self.y) < grad.shape[1] and not kept:
            grad.zero_()
        if read.dim() == 3:
            grad[:, : len(self.y)].baddbmm_(slope, read.transpose(1, 2), beta=kept)
        elif len(self.y) == grad.shape[1]:
            grad.flatten(0, 1).addmm_(slope.flatten(0, 1), read, beta=kept)
        else:
            grad[:, : len(self.y)].baddbmm_(slope, read.expand(len(slope), -1, -1), beta=kept)

    def _slope(self, scores: Tensor, y: Tensor, scales: Tensor, scales_grad: Tensor) -> Tensor:
        """Gradient of the loss with respect to the scores before the logit scale: [run, class, b]."""
        scale = scales[:, self.scale, None, None]
        logits = scale * scores
        if self.absent is not None:
            logits += self.absent
        slope = torch.softmax(logits, 1).sub_(y).mul_(self.weight / y.shape[1])
        scales_grad[:, self.scale] += (slope * scores).sum((1, 2))
        return slope.mul_(scale)


def _kept(name: str, fresh: set[str]) -> int:
    """Factor on what a gradient holds: 0 the first time."""
    if name not in fresh:
        return 1
    fresh.remove(name)
    return 0


def scores(head: Tensor, projection: Tensor | None, xt: Tensor) -> tuple[Tensor, Tensor]:
    """Head (and projection) of each run on the same samples [k, b]: scores [run, class, b], and what the head read.

    One matrix product for all runs where they read the same: batches of runs are wide, single ones are not.
    """
    if projection is None:
        return (head.flatten(0, 1) @ xt).view(*head.shape[:2], -1), xt
    z = (projection.flatten(0, 1) @ xt).view(*projection.shape[:2], -1)  # [run, width, b]
    return torch.bmm(head, z), z
