"""Log-loss at the best logit scale: what validation judges by."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

FACTORS = tuple(2.0 ** (power / 2) for power in range(-6, 7))  # an eighth to eight times


def calibrated(logits: Tensor, y: Tensor) -> tuple[float, float]:
    """The lowest mean cross-entropy over some scales, and the factor that gives it. Fine-tuning on few samples grows
    logits without end: their plain loss would end training long before accuracy is at its best.
    """
    losses = torch.stack([cross_entropy(factor * logits, y) for factor in FACTORS])
    best = int(losses.argmin())
    return float(losses[best]), FACTORS[best]
