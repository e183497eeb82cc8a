"""Verbs about where a shipped model comes from: say it, check whether it still holds, do it again."""

from pathlib import Path
from typing import Annotated

import typer

from uml_pipeline.cli.app import MODELS, ModelArgument, app, console

_MADE = Path("artifacts/model")


@app.command(rich_help_panel=MODELS)
def lineage(
    model: ModelArgument = _MADE,
    json: Annotated[bool, typer.Option("--json", help="As lineage.json has it, for programs.")] = False,
) -> None:
    """Print where a model comes from: model, trunk, features, silos, with hashes, parameters and code."""
    from uml_pipeline.lineage import read, tree

    if json:
        typer.echo(read(model).model_dump_json(indent=2))
    else:
        console.print(tree(model))
