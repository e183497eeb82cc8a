"""Work on all cores with bounded memory: results come in order, and only a few jobs are ever ahead of the reader."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")
Item = TypeVar("Item")
_AHEAD = 4  # jobs a thread


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """`items` in lists of `size`, the last one shorter (itertools.batched of Python 3.12)."""
    source = iter(items)
    while some := list(islice(source, size)):
        yield some


def each(work: Callable[[Job], Result], jobs: Iterable[Job], threads: int | None = None) -> Iterator[Result]:
    """`work` of every job, in their order, computed by `threads` threads (absent: one a core).

    An error in a job, or a reader who stops early, cancels what has not begun.
    """
    threads = threads or cores()
    source = iter(jobs)
    pool = ThreadPoolExecutor(threads)
    try:
        running: deque[Future[Result]] = deque(pool.submit(work, job) for job in islice(source, _AHEAD * threads))
        while running:
            result = running.popleft().result()
            running.extend(pool.submit(work, job) for job in islice(source, 1))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
