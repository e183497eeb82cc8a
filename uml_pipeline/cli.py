"""`uml …`: the command line. Every stage is a verb of the same name; `uml run` brings all of them up to date."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from uml_pipeline.errors import UserError

app = typer.Typer(
    help="""Unpaired silos in, one stronger single-modality model out.

    Start with `uml run` in a study's folder; `uml status` says what is up to date.""",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
console = Console(highlight=False)
StudyOption = Annotated[Path, typer.Option("--study", help="Folder with the study's params.yaml.", show_default="here")]
SiloArgument = Annotated[str, typer.Argument(help="Name of a silo in params.yaml.")]


@app.command()
def run(
    study: StudyOption = Path(),
    force: Annotated[bool, typer.Option("--force", help="Run again even what is up to date.")] = False,
) -> None:
    """Bring the whole study up to date: runs what changed, skips the rest."""
    from uml_pipeline import pipeline
    from uml_pipeline.report.summary import show
    from uml_pipeline.study import Study

    opened = Study(study)
    try:
        pipeline.run(
            opened,
            force=force,
            starting=lambda step: console.print(f"[bold]{step.address}[/bold] …"),
            finished=lambda step, outcome: console.print(f"  {outcome.value}"),
        )
    except BaseException as error:
        if not _interrupted(error):
            raise
        console.print("stopped: what is done stays, and `uml run` goes on from there")
        raise typer.Exit(130) from None
    show(opened, console)


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: what it hits may fail in its own words on the way out (DVC's locks do)."""
    return error is not None and (isinstance(error, KeyboardInterrupt) or _interrupted(error.__context__))


@app.command()
def status(study: StudyOption = Path()) -> None:
    """Say for every step whether it is up to date."""
    from uml_pipeline import pipeline
    from uml_pipeline.study import Study

    table = Table("step", "state")
    for step, fresh in pipeline.status(Study(study)).items():
        table.add_row(step.address, "[green]up to date[/green]" if fresh else "[yellow]to do[/yellow]")
    console.print(table)


@app.command()
def graph(
    code: Annotated[
        bool, typer.Option(help="Let the stages depend on the library's sources in this repository.")
    ] = True,
) -> None:
    """Print the six stages as they stand in dvc.yaml; `uml run` writes that file where it is missing."""
    from uml_pipeline.pipeline import render_yaml

    typer.echo(render_yaml(code), nl=False)


@app.command(name="demo-data")
def demo_data(study: StudyOption = Path()) -> None:
    """Fetch and render the demo study's data: drawings of emoji by six artists, and sentences about them."""
    from uml_pipeline.demo.data import write

    write(study)


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="Folder of a shipped model, e.g. artifacts/model.")],
    samples: Annotated[
        list[str], typer.Argument(help="Files to recognise: pictures, sounds, tables of rows; or texts themselves.")
    ],
    top: Annotated[int, typer.Option(min=1, help="How many labels for each sample.")] = 3,
) -> None:
    """Recognise samples with a shipped model: needs its folder alone, none of the study's data."""
    from uml_pipeline.model import load

    loaded = load(model)
    if (modality := loaded.config["modality"]) in ("series", "vector"):
        fix = 'in Python: `uml_pipeline.model.load("…").predict(samples)`'
        raise UserError(f"a {modality} cannot be typed in a shell", where=str(model), fix=fix)
    named = _rows(samples, loaded.config) if modality == "table" else [(name, name) for name in samples]
    predicted = loaded.predict([sample for _, sample in named], top=top)
    for (name, _), guesses in zip(named, predicted, strict=True):
        typer.echo(f"{name}\t" + "\t".join(f"{label} {share:.1%}" for label, share in guesses))


def _rows(tables: list[str], model: dict[str, Any]) -> list[tuple[str, Any]]:
    """All rows of some tables, by file and number. Columns that the model does not know do no harm."""
    from uml_pipeline.samples import open_container
    from uml_pipeline.silo.config import SiloConfig

    found, known = list[tuple[str, Any]](), model["encoder"].get("fitted") or {}
    for table in tables:
        if not Path(table).is_file():
            raise UserError("no such file", where=table, fix="name a table of rows: CSV, TSV, Parquet or JSON lines")
        container = open_container(SiloConfig(modality="table", path=table, encoder="", label=None), Path())
        rows: list[tuple[str, Any]] = [(one["path"], container.read(one["path"])) for one in container.entries()]
        if known and not any(known.keys() & row for _, row in rows):
            fix = f"give it the columns that the model learnt from: {', '.join(known)}"
            raise UserError("the table has no column that the model knows", where=table, fix=fix)
        found += rows
    return found


@app.command()
def lineage(
    model: Annotated[Path, typer.Argument(help="Folder of a shipped model.")] = Path("artifacts/model"),
) -> None:
    """Print where a model comes from: model, trunk, features, silos, with hashes, parameters and code."""
    from uml_pipeline.lineage import tree

    console.print(tree(model))


theory = typer.Typer()
app.add_typer(theory, name="theory")


@theory.callback(invoke_without_command=True)
def model_theory(
    context: typer.Context,
    model: Annotated[
        Path | None, typer.Option(help="YAML or JSON file of the model.", show_default="a built-in example, printed")
    ] = None,
    figure: Annotated[Path | None, typer.Option(help="Also write a figure to this SVG file.")] = None,
) -> None:
    """What could an auxiliary silo add? A calculator: the linear-Gaussian model behind the method.

    Each sample is a linear view of unknowns that both silos depend on, and of
    others that only its own silo does, plus noise. Printed are the information,
    the variance along each direction (target alone, auxiliary alone, both),
    blind spots, what auxiliary samples are worth in target samples, and when
    they harm. A model file:

    \b
    common: 3                 # unknowns that both silos depend on
    target:
      samples: 20
      noise: 1.0              # standard deviation
      values: 6               # numbers measured in a sample: a random design,
      own: 2                  # with so many unknowns of its own,
      strength: [1, 0.3, 0]   # that shows the common ones so strongly
    auxiliary:
      samples: 200
      noise: 3.0
      design:                 # or one written out, a row for each number
        common: [[1, 0, 0], [0, 1, 1], [0, 1, -1], [0, 0, 2]]
        own: [[1], [1], [0], [1]]
    directions:               # reported beside the principal ones
      contrast: [1, -1, 0]
    seed: 0
    """
    if context.invoked_subcommand:
        if model or figure:
            fix = f"leave --model and --figure away, or leave {context.invoked_subcommand!r} away"
            raise UserError("two things are asked for", where="uml theory", fix=fix)
        return
    from uml_pipeline.theory.calculator import answer
    from uml_pipeline.theory.config import EXAMPLE, read_model
    from uml_pipeline.theory.show import show

    read = read_model(model)
    if model is None:
        console.print("An example; write your own model to a file, and name it with --model:\n")
        console.print(EXAMPLE, markup=False)
    found = answer(*read.build(), read.named())
    show(found, console)
    if figure:
        from uml_pipeline.theory.figure import draw

        _write(figure, draw(found))


@theory.command()
def exchange(
    accuracies: Annotated[Path, typer.Argument(help="CSV file with the columns target, auxiliary, accuracy.")],
) -> None:
    """Say how many auxiliary samples one target sample is worth, by measured accuracies.

    Fits a plane to accuracies over a grid of target and auxiliary samples (a
    class, say), and takes the ratio of its slopes, with a bootstrap interval. A
    further column `draw` says which random draw of samples a row is of: rows of
    one draw err together.
    """
    from uml_pipeline.theory.measured import read_surface
    from uml_pipeline.theory.show import show_surface

    show_surface(read_surface(accuracies), console)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        where = f"{path}: {error.strerror}"
        raise UserError(
            "the figure cannot be written", where=where, fix="name a file in a folder that exists"
        ) from None


def _add_stage(name: str, asks: str, each: bool) -> None:
    """A verb for one of the six stages. Under DVC (`DVC_STAGE` is set) DVC itself records the result."""

    def one(study: Path, silo: str | None) -> None:
        from uml_pipeline import pipeline
        from uml_pipeline.study import Study

        opened, step = Study(study), pipeline.Step(name, silo)
        if silo:
            opened.silo(silo)
        if "DVC_STAGE" in os.environ:
            pipeline.call(opened, step)
        else:
            outcome = pipeline.run_step(opened, pipeline.open_ledger(opened), step)
            console.print(f"{step.address}: {outcome.value}")

    def for_silo(silo: SiloArgument, study: StudyOption = Path()) -> None:
        one(study, silo)

    def with_docs(
        silo: SiloArgument,
        study: StudyOption = Path(),
        docs: Annotated[bool, typer.Option("--docs", help="Also write Great Expectations' own HTML page.")] = False,
    ) -> None:
        one(study, silo)
        if docs:
            from uml_pipeline.silo.docs import write_docs
            from uml_pipeline.study import Study

            console.print(f"data docs: {write_docs(Study(study), silo)}")

    def for_study(study: StudyOption = Path()) -> None:
        one(study, None)

    command: Callable[..., Any] = (with_docs if name == "silo" else for_silo) if each else for_study
    app.command(name=name, help=f"Stage {name}. {asks}")(command)


def _add_stages() -> None:
    from uml_pipeline.pipeline import STAGES

    for stage in STAGES:
        _add_stage(stage.name, stage.asks, stage.each)


def main() -> None:
    """Entry point: user errors are printed plainly and exit with 2."""
    try:
        app()
    except UserError as error:
        Console(stderr=True, highlight=False).print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)


_add_stages()
