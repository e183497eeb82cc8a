"""Verbs about a study as a whole: bring it up to date, say what is, print its graph, fetch the demo's data."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from uml_pipeline.cli.app import JsonOption, StudyOption, app, aside, console, print_json
from uml_pipeline.progress import waiting
from uml_pipeline.workspace import Workspace, read_json

STUDY = "The study"


@app.command(rich_help_panel=STUDY)
def run(
    study: StudyOption = Path(),
    force: Annotated[bool, typer.Option("--force", help="Run again even what is up to date.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the whole study up to date: runs what changed, skips the rest."""
    from uml_pipeline import pipeline
    from uml_pipeline.report.summary import show
    from uml_pipeline.report.tracked import METRICS
    from uml_pipeline.study import Study

    opened, words, outcomes = Study(study), aside if as_json else console, dict[str, str]()

    def finished(step: pipeline.Step, outcome: pipeline.Outcome) -> None:
        words.print(f"  {outcome.value}")
        outcomes[step.address] = outcome.value

    try:
        with ExitStack() as first:
            first.enter_context(waiting("looking at what changed"))

            def starting(step: pipeline.Step) -> None:
                first.close()
                words.print(f"[bold]{step.address}[/bold] …")

            pipeline.run(opened, force=force, starting=starting, finished=finished)
    except BaseException as error:
        if not _interrupted(error):
            raise
        words.print("stopped: what is done stays, and `uml run` goes on from there")
        raise typer.Exit(130) from None
    if as_json:
        print_json({"steps": outcomes, **read_json(Workspace(opened.folder).reading("report") / METRICS)})
    else:
        show(opened, console)


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: what it hits may fail in its own words on the way out (DVC's locks do)."""
    return error is not None and (isinstance(error, KeyboardInterrupt) or _interrupted(error.__context__))


@app.command(rich_help_panel=STUDY)
def status(study: StudyOption = Path(), as_json: JsonOption = False) -> None:
    """Say for every step whether it is up to date."""
    from uml_pipeline import pipeline
    from uml_pipeline.study import Study

    with waiting("looking at what changed"):
        found = pipeline.status(Study(study))
    if as_json:
        print_json([{"step": step.address, "up_to_date": fresh} for step, fresh in found.items()])
        return
    table = Table("step", "state")
    for step, fresh in found.items():
        table.add_row(step.address, "[green]up to date[/green]" if fresh else "[yellow]to do[/yellow]")
    console.print(table)


@app.command(rich_help_panel=STUDY)
def graph(
    code: Annotated[
        bool, typer.Option(help="Let the stages depend on the library's sources in this repository.")
    ] = True,
) -> None:
    """Print the six stages as they stand in dvc.yaml; `uml run` writes that file where it is missing."""
    from uml_pipeline.pipeline import render_yaml

    typer.echo(render_yaml(code), nl=False)


@app.command(rich_help_panel=STUDY)
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
