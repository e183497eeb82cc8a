"""What `uml check` found, for people."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from uml_pipeline.start.check import Ahead, Checked

_MINUTE = 60


def show(found: Checked, target: str, console: Console) -> None:
    """Print silos, steps with their time, and what should be known before."""
    console.print(_silos(found, target))
    console.print(_steps(found.steps))
    if found.memory:
        console.print(f"memory: about {found.memory / 1e9:.1f} GB")
    for hint in found.hints:
        console.print(Text(f"note: {hint}", "yellow"))
    for problem in found.problems:
        console.print(Text(f"problem: {problem}", "red"))
    console.print(
        Text("not ready: mend this first", "bold red") if found.problems else Text("ready: `uml run`", "bold green")
    )


def _silos(found: Checked, target: str) -> Table:
    table = Table("silo", "modality", "samples", "classes", "of the target's", "encoder")
    for one in found.silos:
        shared = "target" if one.name == target else "not known" if one.shared is None else str(one.shared)
        bad = f" ({one.bad} bad)" if one.bad else ""
        table.add_row(one.name, one.modality, f"{one.samples:,}{bad}", str(one.classes), shared, one.encoder)
    return table


def _steps(steps: list[Ahead]) -> Table:
    table = Table("step", "will take about")
    for one in steps:
        table.add_row(one.step, _told(one.seconds))
    return table


def _told(seconds: float | None) -> str:
    if seconds is None:
        return "not estimated"
    if seconds == 0:
        return "nothing: up to date"
    return f"{seconds:.0f} s" if seconds < 2 * _MINUTE else f"{seconds / _MINUTE:.0f} min"
