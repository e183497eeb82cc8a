"""Log-loss at the best logit scale: what validation judges by."""

import torch
from torch import Tensor

FACTORS = tuple(2.0 ** (power / 2) for power in range(-6, 7))  # an eighth to eight times


def calibrated(logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The lowest mean cross-entropy over some scales, and the factor that gives it: [...], [...].

    Trained on few samples, logits grow without end: their plain loss would end training long before accuracy is at its
    best. By accuracy itself few validation samples tell little.

    Args:
        logits: [..., n, class].
        y: classes [n].
    """
    logits = logits - logits.amax(-1, keepdim=True)
    own = logits.gather(-1, y[:, None].expand(*logits.shape[:-1], 1))[..., 0].mean(-1)
    losses = [(factor * logits).exp_().sum(-1).log_().mean(-1) - factor * own for factor in FACTORS]
    best = torch.stack(losses).min(0)
    return best.values, torch.tensor(FACTORS, device=logits.device)[best.indices]
