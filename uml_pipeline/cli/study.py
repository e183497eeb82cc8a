"""Verbs about a study as a whole: bring it up to date, say what is, print its graph, fetch the demo's data."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from uml_pipeline.cli.app import StudyOption, app, console


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


@app.command()
def ui(
    study: StudyOption = Path(),
    port: Annotated[int, typer.Option(help="Of 127.0.0.1, where the webserver listens.")] = 3000,
) -> None:
    """Open the study in Dagster: its webserver and its daemon, until Ctrl-C.

    What Dagster remembers lies in `.dagster/` of the study; dagster.yaml there is yours to edit.
    """
    from uml_pipeline.start.dagster import serve
    from uml_pipeline.study import Study

    serve(Study(study).folder, port)


@app.command(name="demo-data", rich_help_panel="More")
def demo_data(study: StudyOption = Path()) -> None:
    """Fetch and render the demo study's data: drawings of emoji by six artists, and sentences about them."""
    from uml_pipeline.demo.data import write

    write(study)
