"""What image encoders in torch share: batches of one fixed shape, and a fingerprint of their weights."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from uml_pipeline.features.encoders import Batch, Sample
from uml_pipeline.learn.workers import each
from uml_pipeline.silo.images import read_image

_BATCH = 8  # larger ones are no faster on a CPU, and a single image is padded to a whole batch


def ready(net: Any) -> nn.Module:
    """The network as `batches` runs it best: for inference, channels last."""
    return net.eval().to(memory_format=torch.channels_last)


def batches(net: nn.Module, prepare: Callable[[Image.Image], Tensor], samples: Sequence[Sample]) -> Iterator[Batch]:
    """Read, prepare ([3, height, width]) and encode images. The last batch is filled up with zeros: kernels, and with
    them the last bits of a result, are chosen by shape.
    """

    def encode(indices: list[int]) -> Batch:
        tensors = [prepare(read_image(Path(samples[index]))) for index in indices]
        tensors += [torch.zeros_like(tensors[0])] * (_BATCH - len(tensors))
        vectors = net(torch.stack(tensors).contiguous(memory_format=torch.channels_last))  # [_BATCH, dim]
        return indices, vectors[: len(indices)].float().numpy()

    starts = range(0, len(samples), _BATCH)
    return each(encode, [list(range(start, min(start + _BATCH, len(samples)))) for start in starts])


def state_bytes(state: Mapping[str, Tensor]) -> Iterator[bytes]:
    """Names, types, shapes and bytes of a state dict, for a fingerprint."""
    for name, tensor in sorted(state.items()):
        yield f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode()
        yield tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
