"""Progress of long work, with rate and time left: a bar on the terminal, a line now and then in a log."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

_STYLE = "progress.data.speed"
_EVERY = 30.0  # seconds between two lines of a log


class Advance(Protocol):
    """Tells that `count` more are done, and how much they took in."""

    def __call__(self, count: int, taken: int = 0) -> None:
        """See the class."""


@contextmanager
def progress(
    what: str, total: int | None = None, *, done: int = 0, unit: str = "", shown: bool = True
) -> Iterator[Advance]:
    """Show `what` while the block runs; the block tells how many more samples are done, of `total` if that is known.
    `unit`: of what they take in, such as tokens; its rate is shown then, and the most memory so far. `shown`: whether
    by this one of several processes.
    """
    console = Console(stderr=True)
    if shown and not console.is_interactive:
        yield _Log(what, total, done)
        return
    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn()]
    columns += [_Pace(), *([_Taken(unit), _Memory()] if unit else [])]
    with Progress(*columns, console=console, transient=True, disable=not shown) as bar:
        task = bar.add_task(what, total=total, completed=done, before=done, taken=0)

        def advance(count: int, taken: int = 0) -> None:
            bar.update(task, advance=count, taken=bar.tasks[task].fields["taken"] + taken)

        yield advance


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show `what`, and for how long, while the block does what cannot be counted; a log gets nothing."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_interactive) as bar:
        bar.add_task(what, total=None)
        yield


def pace(count: int, seconds: float, left: int | None) -> str:
    """How fast `count` went in so many seconds, and how long `left` more will take: `12/s, 0:00:40 left`. Over all that
    was done: work that comes in bursts would otherwise be promised for the next second.
    """
    if not count or not seconds:
        return ""
    each = seconds / count
    rate = f"{1 / each:.0f}/s" if each < 1 else f"{each:.0f} s each"
    return f"{rate}, {timedelta(seconds=round(each * left))} left" if left else rate


class _Log:
    """An Advance that writes a line now and then."""

    def __init__(self, what: str, total: int | None, done: int) -> None:
        self._what, self._total, self._before, self._done = what, total, done, done
        self._began = self._told = time.monotonic()

    def __call__(self, count: int, taken: int = 0) -> None:
        self._done += count
        now = time.monotonic()
        if now - self._told < _EVERY:
            return
        self._told = now
        left = None if self._total is None else self._total - self._done
        of = "" if self._total is None else f" of {self._total}"
        told = pace(self._done - self._before, now - self._began, left)
        print(f"{self._what}: {self._done}{of}, {told}", file=sys.stderr, flush=True)


class _Pace(ProgressColumn):
    def render(self, task: Task) -> Text:
        left = None if task.remaining is None else int(task.remaining)
        told = pace(int(task.completed) - task.fields["before"], task.elapsed or 0.0, left)
        return Text(told or str(timedelta(seconds=int(task.elapsed or 0))), style=_STYLE)


class _Taken(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        taken = task.fields["taken"]
        return Text(f"{taken / task.elapsed:,.0f} {self.unit}/s" if taken and task.elapsed else "", style=_STYLE)


class _Memory(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{peak_bytes() / 2**30:.1f} GiB", style=_STYLE)


def peak_bytes() -> int:
    """Most memory so far: of the GPU, if torch has used one here, else of this process."""
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_initialized():
        return int(torch.cuda.max_memory_allocated())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
