"""What `uml run` prints last: the result, how sure it is, and what to do next."""

import shlex
from itertools import groupby
from pathlib import Path

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from uml_pipeline.report import words
from uml_pipeline.report.evidence import Evidence, read
from uml_pipeline.report.headline import headline
from uml_pipeline.report.results import Trunk
from uml_pipeline.silo import read_manifest
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace

_LONGEST = 31  # letters of an arm's name that leave room for the rest of a line of 80


def show(study: Study, console: Console) -> None:
    """Print the accuracies, the paired gains, the verdicts, what ships, and where to go from here.

    Raises:
        UserError: a stage before the report has not run yet.
    """
    evidence = read(study)
    said = headline(evidence)
    colour = {"better": "green", "same": "yellow", "worse": "red"}[said.tone]
    console.print()
    console.print(_accuracies(evidence))
    if evidence.trunk.strict:
        _title(console, "Gain over the strongest arm without auxiliary silos, in points (95% interval)")
        _gains(evidence, console)
    if evidence.verdicts:
        _title(console, "Is each auxiliary silo about the same world?")
        console.print(Padding(_verdicts(evidence), (0, 0, 1, 2)))
    for silo in evidence.silos:
        if silo.quality.bad:
            console.print(Text(words.plain(words.set_aside(silo)), "yellow"))
    if uneven := words.uneven(evidence.silos[0]):  # of the target: such a class is not trained, or never tested
        console.print(Text(words.plain(uneven), "yellow"))
    console.print(Text(words.plain(said.answer), f"bold {colour}"))
    for text in (said.numbers, said.detail, said.why):
        console.print(Text(words.plain(text)))
    console.print()
    _next(study, evidence, console)


def _title(console: Console, text: str) -> None:
    console.print(Text(text, "bold"))


def _accuracies(evidence: Evidence) -> Table:
    trunk = evidence.trunk
    splits = max((run.seeds for run in trunk.runs), default=0)
    table = Table(
        title=Text(f"Accuracy on {words.plain(evidence.target)}, %: mean ± spread over {splits} splits", "bold"),
        title_justify="left",
        caption=Text("* best of the column; shots: labelled samples a class", "dim"),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("arm")
    for number in trunk.shots:
        table.add_column(words.shots(number), justify="right", no_wrap=True)
    for method in trunk.methods:
        cells = [_cell(trunk, method, number) for number in trunk.shots]
        weight = "bold" if trunk.arms[method].kind == "uml" else ""
        table.add_row(Text(words.plain(trunk.label(method)), weight), *cells)
    return table


def _cell(trunk: Trunk, method: str, number: int) -> Text:
    run = trunk.run(method, number)
    if run is None:
        return Text("-")
    best = trunk.best(number) == method
    return Text(f"{run.mean:.1f} ± {run.std:.1f}{'*' if best else ' '}", "bold green" if best else "")


def _gains(evidence: Evidence, console: Console) -> None:
    """One block for each number of shots and rival; blocks have the same columns."""
    trunk = evidence.trunk
    width = min(_LONGEST, max(len(trunk.label(gain.method)) for gain in trunk.strict))
    for (number, rival), gains in groupby(trunk.strict, key=lambda gain: (gain.shots, gain.against)):
        console.print(Text(f"  {words.shots(number)}, against {words.plain(trunk.label(rival))}", "dim"))
        grid = Table.grid(padding=(0, 2))
        grid.add_column(width=width)
        for gain in gains:
            style = {1: "green", 0: "", -1: "red"}[gain.sign]
            name = Text(words.plain(trunk.label(gain.method)))
            mean, meaning = Text(f"{words.points(gain.mean):>5}", style), Text(words.meaning(gain), style)
            grid.add_row(name, mean, f"{f'({words.interval(gain)})':16}", meaning)
        console.print(Padding(grid, (0, 0, 0, 2)))
    console.print()


def _verdicts(evidence: Evidence) -> Table:
    grid = Table.grid(padding=(0, 2))
    for verdict in evidence.verdicts:
        style = {"helps": "green", "harms": "red"}.get(verdict.verdict, "yellow")
        used = "used" if verdict.used else "not used"
        grid.add_row(verdict.silo, Text(verdict.verdict, style), words.expected(verdict), words.p_value(verdict), used)
    return grid


def _next(study: Study, evidence: Evidence, console: Console) -> None:
    workspace = Workspace(study.folder)
    model = _near(workspace.folder("model"))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    sample = _sample(study)
    rows = {
        "Report": str(_near(workspace.folder("report")) / "index.html"),
        "Model": str(model),
        "Try it": f"uml predict {model} {sample}" if sample else None,
        "Origin": f"uml lineage {model}",
        "All in a browser": "uml ui" + (f" --study {shlex.quote(str(study.folder))}" * (study.folder != Path.cwd())),
    }
    for name, value in rows.items():
        if value:
            grid.add_row(Text(name, "bold"), Text(words.plain(value)))
    console.print(grid)


def _sample(study: Study) -> str | None:
    """A test sample of the target as typed in a shell, or the whole table of such; None where it cannot be typed."""
    modality = study.silo(study.target).modality
    if not words.typed(modality):
        return None
    manifest = read_manifest(study, study.target)
    row = manifest[manifest["split"] == "test"].iloc[0] if (manifest["split"] == "test").any() else manifest.iloc[0]
    if modality == "text":
        return shlex.quote(row["text"])
    place = row["path"].partition("#")[0] if modality == "table" else row["path"]
    return shlex.quote(str(_near(study.folder / place)))


def _near(path: Path) -> Path:
    """The path as it is typed from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
