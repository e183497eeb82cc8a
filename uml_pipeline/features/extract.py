"""The extraction engine in one process: decoding in threads, overlapped with the network; batches of fixed shapes."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from uml_pipeline.features.encoders import Encoder
from uml_pipeline.features.runtime import Runtime
from uml_pipeline.samples import Sample

Batch = tuple[list[int], np.ndarray]
"""Indices into the samples asked for, and their vectors: float32 [len(indices), view, dim]."""
_AHEAD = 4  # chunks and batches a thread, waiting in memory


def batches(
    encoder: Encoder,
    samples: Sequence[Sample],
    runtime: Runtime | None = None,
    asked: Callable[[Tensor], Tensor] | None = None,
) -> Iterator[Batch]:
    """Encode all samples, in whatever order suits; every sample comes once. `samples` may open them when indexed.
    `asked`: what the network is asked for instead of vectors, of a batch on its device: [sample, step, d].

    On a CPU every thread decodes chunks and computes whole batches with one core of its own (torch's own way, all cores
    on one batch, waits after every layer). On a GPU the threads decode, and two more feed the device.

    Raises:
        UserError: a sample cannot be read.
    """
    runtime = runtime or Runtime()
    runtime.place(encoder)

    def prepare(indices: list[int]) -> list[tuple[int, Tensor]]:
        with torch.inference_mode():
            return list(zip(indices, encoder.prepare([samples[index] for index in indices]), strict=True))

    def compute(members: list[tuple[int, Tensor]]) -> Batch:
        size = runtime.size(encoder, members[0][1])
        filled = [tensor for _, tensor in members] + [members[0][1]] * (size - len(members))
        with torch.inference_mode():
            vectors = runtime.compute(encoder, torch.stack(filled), asked)[: len(members)]
        return [index for index, _ in members], vectors.reshape(len(members), -1, vectors.shape[-1])

    with _threads(runtime.threads) as workers, _threads(2) as feeders:
        on = workers if runtime.device == "cpu" else feeders
        starts = iter(range(0, len(samples), encoder.chunk))
        chunks = (list(range(start, min(start + encoder.chunk, len(samples)))) for start in starts)
        room = _AHEAD * runtime.threads
        preparing = deque(workers.submit(prepare, chunk) for chunk in islice(chunks, room))
        computing: deque[Future[Batch]] = deque()
        waiting: dict[tuple, list[tuple[int, Tensor]]] = defaultdict(list)  # by shape
        while preparing:
            for index, tensor in preparing.popleft().result():
                same = waiting[tuple(tensor.shape)]
                same.append((index, tensor))
                if len(same) == runtime.size(encoder, tensor):
                    computing.append(on.submit(compute, waiting.pop(tuple(tensor.shape))))
            preparing.extend(workers.submit(prepare, chunk) for chunk in islice(chunks, 1))
            while computing and (len(computing) > room or computing[0].done()):
                yield computing.popleft().result()
        computing.extend(on.submit(compute, members) for members in waiting.values())
        while computing:
            yield computing.popleft().result()


@contextmanager
def _threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that give torch one core each; what has not begun is dropped when the reader leaves early."""
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(before)  # a worker's setting reaches beyond its thread
