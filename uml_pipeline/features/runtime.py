"""Where and how exactly an encoder's network computes."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from uml_pipeline.errors import UserError
from uml_pipeline.features.config import FeaturesConfig
from uml_pipeline.features.encoders import Encoder
from uml_pipeline.workers import cores

_ON_GPU = 32  # times the batch that suits a CPU's core


@dataclass(frozen=True)
class Runtime:
    """A device, the network's number format there, and the threads that decode."""

    device: str = "cpu"
    dtype: torch.dtype = torch.float32
    compile: bool = False
    threads: int = field(default_factory=cores)

    @classmethod
    def of(cls, config: FeaturesConfig) -> "Runtime":
        """What params.yaml asks for, on this machine.

        Raises:
            UserError: `device: cuda` where there is no GPU.
        """
        if config.device == "cuda" and not torch.cuda.is_available():
            fix = "set `device: auto`, or install a torch that sees the GPU"
            raise UserError("there is no GPU here", where="features.device in params.yaml", fix=fix)
        device = "cuda" if config.device != "cpu" and torch.cuda.is_available() else "cpu"
        automatic = "bfloat16" if device == "cuda" else "float32"
        name = automatic if config.precision == "auto" else config.precision
        return cls(device, getattr(torch, name), config.compile, config.workers or cores())

    @property
    def name(self) -> str:
        """Vectors of different names may differ in their last bits."""
        return f"{self.device} {self.dtype}{' compiled' if self.compile else ''}"

    def place(self, encoder: Encoder) -> None:
        """Move the encoder's network, if it has one, to the device."""
        if encoder.net is not None:
            encoder.net = encoder.net.eval().to(self.device, self.dtype)
            if self.compile:
                encoder.net.compile()  # in place: its weights keep their names

    def size(self, encoder: Encoder, prepared: Tensor) -> int:
        """Prepared samples of a batch."""
        return encoder.size(tuple(prepared.shape)) * (1 if self.device == "cpu" else _ON_GPU)

    def compute(self, encoder: Encoder, batch: Tensor, asked: Callable[[Tensor], Tensor] | None = None) -> np.ndarray:
        """Vectors of a batch (or what else is `asked` of it) as float32, back in the CPU's memory."""
        kind = self.dtype if batch.is_floating_point() and encoder.net is not None else batch.dtype
        if self.device != "cpu":
            batch = batch.pin_memory()
        return (asked or encoder.compute)(batch.to(self.device, kind, non_blocking=True)).float().cpu().numpy()
