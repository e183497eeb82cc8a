"""What `uml theory` prints."""

import math

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from uml_pipeline.theory.calculator import Answer, Line
from uml_pipeline.theory.surface import Surface

_WIDEST = 6  # common unknowns, up to which a direction is written out


def number(value: float) -> str:
    """Three digits; a direction that nothing sees has neither a variance nor a rate."""
    if math.isnan(value):
        return "-"
    return "∞" if math.isinf(value) else f"{value:.3g}"


def show(found: Answer, console: Console) -> None:
    """Print what each silo knows, variances and exchange rates by direction, blind spots, and when the silo harms."""
    console.print(_views(found))
    console.print(_variances(found))
    if found.target.common.shape[1] <= _WIDEST:
        for line in found.lines:
            entries = ", ".join(f"{round(value, 2) + 0.0:+.2f}" for value in line.direction)
            console.print(f"  {line.name} = ({entries})")
        console.print()
    for sentence in _sentences(found):
        console.print(sentence)


def _views(found: Answer) -> Table:
    table = _table("What is known about the common unknowns")
    for heading in ("samples", "noise", "directions seen", "information", "if own unknowns were known"):
        table.add_column(heading, justify="right")
    silos = {"target": found.target, "auxiliary": found.auxiliary}
    common = found.target.common.shape[1]
    for view in found.views:
        silo = silos.get(view.name)
        facts = (f"{silo.samples:,}", number(silo.noise)) if silo else ("", "")
        seen = f"{view.rank} of {common}"
        table.add_row(view.name, *facts, seen, number(view.information), number(view.naive))
    return table


def _variances(found: Answer) -> Table:
    table = _table("Variance of the estimate along each direction; what auxiliary samples are worth, in target samples")
    headings = (
        "target alone",
        "auxiliary alone",
        "both, weighted",
        "both, unit weights",
        "one more is worth",
        "all are",
    )
    for heading in headings:
        table.add_column(heading, justify="right")
    for line in [*found.lines, *found.named]:
        values = (line.target, line.auxiliary, line.weighted, line.unit, line.rate, line.worth)
        cells = [Text(number(value)) for value in values]
        if _harmed(line):
            cells[3].stylize("red")
        table.add_row(Text(line.name), *cells)
    return table


def _table(title: str) -> Table:
    table = Table(title=Text(title, "bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    return table


def _harmed(line: Line) -> bool:
    return line.unit > line.target * (1 + 1e-9)  # equal ones differ by rounding


def _sentences(found: Answer) -> list[str]:
    common = found.target.common.shape[1]
    opened, blind, seen = (len(found.of(sight)) for sight in ("opened", "blind", "seen"))
    told = f"Blind spots: the target is blind in {opened + blind} of {common} dimensions"
    told += f"; the auxiliary silo opens {opened}, and {blind} stay blind." if opened + blind else "."
    harmed = sum(map(_harmed, found.of("seen")))
    ratio = number(found.noise_ratio)
    harm = f"Unit weights harm along {harmed} of the {seen} directions d that the target sees"
    least = min((line.harm_threshold for line in found.of("seen")), default=math.inf)
    told_harm = f"{harm}: the auxiliary noise variance is {ratio} times the target's"
    told_harm += f", and they are safe along each up to {number(least)}." if math.isfinite(least) else "."
    return [told, told_harm, f"Weighted by {number(1 / found.noise_ratio)}, the auxiliary silo never harms."]


def show_surface(found: Surface, console: Console) -> None:
    """Print the plane and its exchange rate, and what is doubtful about them."""
    console.print(f"accuracy = {found.a:.4g} * target + {found.b:.4g} * auxiliary + {found.c:.4g}")
    console.print(f"  explains {found.explained:.1%} of the variance")
    interval = f"{number(found.low)} to {number(found.high)}"
    console.print(f"One target sample is worth {number(found.rate)} auxiliary samples (95% interval {interval}).")
    if found.extrapolates:
        span = f"The grid varies by {number(found.span)} auxiliary samples alone"
        console.print(f"{span}: the rate, or its interval, is an extrapolation.", style="yellow")
