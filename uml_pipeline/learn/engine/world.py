"""The processes that train together: one, or those that torchrun (or Ray) has started."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed
from torch.nn.parallel import DistributedDataParallel

from uml_pipeline.errors import UserError

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class World:
    """Which of how many processes this is, and its device."""

    rank: int = 0
    size: int = 1
    device: torch.device = _CPU

    @property
    def first(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def share(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The part of a global batch that is this process's."""
        return rows[self.rank :: self.size]

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes, on each of them."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values

    def agree(self, values: Tensor) -> Tensor:
        """What the first process says, on each of them."""
        if self.size > 1:
            distributed.broadcast(values, 0)
        return values

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            distributed.barrier()

    def wrap(self, model: torch.nn.Module) -> torch.nn.Module:
        """The model whose gradients are the mean over all processes."""
        if self.size == 1:
            return model
        devices = [self.device] if self.device.type == "cuda" else None
        # networks may skip layers (LayerDrop), so that not every weight has a gradient in every step
        return DistributedDataParallel(model, devices, find_unused_parameters=True)


@contextmanager
def joined(device: str = "auto") -> Iterator[World]:
    """The world that the environment describes (RANK, WORLD_SIZE, LOCAL_RANK by torchrun): gloo on CPUs, NCCL on GPUs.

    Raises:
        UserError: `device` is `cuda` where there is no GPU.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    chosen = pick(device)
    if size == 1:
        yield World(device=chosen)
        return
    if chosen.type == "cuda":
        chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(chosen)
    ours = not distributed.is_initialized()  # Ray Train has joined them already
    if ours:
        distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield World(rank, size, chosen)
    finally:
        if ours:
            distributed.destroy_process_group()


def pick(device: str) -> torch.device:
    """The device that params.yaml asks for.

    Raises:
        UserError: `cuda` where there is no GPU.
    """
    if device == "cuda" and not torch.cuda.is_available():
        fix = "set `device: auto`, or install a torch that sees the GPU"
        raise UserError("there is no GPU here", where="device in params.yaml", fix=fix)
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
