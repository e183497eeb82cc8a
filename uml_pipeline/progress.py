"""Progress of long work: a bar with rate and time left, on the terminal alone."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

_STYLE = "progress.data.speed"


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
    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate()]
    columns += [_Taken(unit), _Memory()] if unit else []
    console = Console(stderr=True)
    hidden = not (shown and console.is_interactive)  # rich would leave an empty line in a log for every bar
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task(what, total=total, completed=done, taken=0)

        def advance(count: int, taken: int = 0) -> None:
            bar.update(task, advance=count, taken=bar.tasks[task].fields["taken"] + taken)

        yield advance


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.0f}/s" if speed else "", style=_STYLE)


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
