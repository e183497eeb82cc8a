"""Batches on all cores: each worker thread computes whole batches with one core of its own."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Job = TypeVar("Job")
Result = TypeVar("Result")


def each(work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
    """`work` of every job, in order, under inference mode.

    Torch's own way, all cores on one batch, waits at a barrier after every layer: on a busy machine, where one of its
    threads has no core, that made small networks twenty times slower. The bits are the same either way.
    """
    cores = torch.get_num_threads()

    def one(job: Job) -> Result:
        with torch.inference_mode():
            return work(job)

    try:
        with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield from pool.map(one, jobs)
    finally:
        torch.set_num_threads(cores)  # a worker's setting reaches beyond its thread
