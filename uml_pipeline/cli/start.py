"""Verbs of the first hour: a new study, whether it is ready, and whether this machine is."""

import json
from pathlib import Path
from typing import Annotated

import typer

from uml_pipeline.cli.app import StudyOption, app, console

JsonOption = Annotated[bool, typer.Option("--json", help="For scripts: JSON instead of tables.")]


@app.command()
def check(study: StudyOption = Path(), as_json: JsonOption = False) -> None:
    """Say whether a study is ready, what will run, and for how long; nothing runs.

    Lists every silo, tries a few samples of each, and compares class names.
    Exits with 1 if something would stop the run.
    """
    from uml_pipeline.start.check import check as look_at
    from uml_pipeline.start.show import show
    from uml_pipeline.study import Study

    opened = Study(study)
    found = look_at(opened)
    if as_json:
        typer.echo(json.dumps(found.plain(), indent=2))
    else:
        show(found, opened.target, console)
    raise typer.Exit(bool(found.problems))
