"""`uml …`: the command line. Every stage is a verb of the same name; `uml run` brings all of them up to date."""

import sys

from rich.console import Console

from uml_pipeline.cli import lineage, model, registry, stages, study, theory  # noqa: F401  each adds its verbs
from uml_pipeline.cli.app import app, console
from uml_pipeline.errors import UserError
from uml_pipeline.extras import optional

__all__ = ["console", "main"]


def main() -> None:
    """Entry point: user errors are printed plainly and exit with 2."""
    try:
        with optional():
            app()
    except UserError as error:
        Console(stderr=True, highlight=False).print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)
