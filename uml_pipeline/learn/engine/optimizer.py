"""AdamW over groups that each have their own share of the learning rate, and its state as plain values."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

Group = dict[str, Any]
"""`params`, `weight_decay`, and `lr_scale`: what the learning rate is multiplied with."""


def adamw(groups: Iterable[Group]) -> torch.optim.AdamW:
    """The optimiser; its learning rates are set before every step."""
    return torch.optim.AdamW(list(groups), lr=0.0)


def plain_groups(
    module: nn.Module, weight_decay: float, lr_scale: float = 1.0, *, stacked: bool = False
) -> list[Group]:
    """Matrices are decayed; biases, norms and scales are not. `stacked`: weights are those of several runs, behind one
    another.
    """
    weights, vector = [one for one in module.parameters() if one.requires_grad], 1 + stacked
    matrices, others = [one for one in weights if one.ndim > vector], [one for one in weights if one.ndim <= vector]
    groups = [(matrices, weight_decay), (others, 0.0)]
    return [{"params": some, "weight_decay": decay, "lr_scale": lr_scale} for some, decay in groups if some]


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of the next step, for every group by its share."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("lr_scale", 1.0)


def clip(weights: Iterable[Tensor], limit: float, runs: int) -> None:
    """Shrink each run's gradient to a norm of `limit`, where it is larger. Weights of several runs are [run, ...]."""
    if runs == 1:
        nn.utils.clip_grad_norm_(weights, limit)
        return
    slopes = [one.grad.view(runs, -1) for one in weights if one.grad is not None]
    norms = torch.stack([torch.linalg.vector_norm(one, dim=1) for one in slopes]).norm(dim=0)  # [run]
    shares = (limit / (norms + 1e-6)).clamp(max=1)[:, None]  # as torch's own
    for one in slopes:
        one.mul_(shares)


def moments(optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
    """What the optimiser has gathered on each weight, in their order; {} for one that had no gradient yet."""
    return [dict(optimizer.state.get(one, {})) for one in _weights(optimizer)]


def restore(optimizer: torch.optim.Optimizer, gathered: list[dict[str, Any]]) -> None:
    """Put back what `moments` gave, in the memory layout of the weights: kernels round by layout."""
    for weight, state in zip(_weights(optimizer), gathered, strict=True):
        if state:
            optimizer.state[weight] = {name: _like(weight, value) for name, value in state.items()}


def _like(weight: Tensor, value: Any) -> Any:
    if isinstance(value, Tensor) and value.shape == weight.shape:
        return torch.empty_like(weight).copy_(value)
    return value


def _weights(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [one for group in optimizer.param_groups for one in group["params"]]
