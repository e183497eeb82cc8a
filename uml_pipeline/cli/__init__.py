"""`uml …`: the command line. Every stage is a verb of the same name; `uml run` brings all of them up to date."""

import sys

from rich.console import Console

from uml_pipeline.cli import lineage, model, registry, stages, start, study, theory  # noqa: F401  each adds its verbs
from uml_pipeline.cli.app import app, console, literal
from uml_pipeline.errors import explained
from uml_pipeline.extras import optional

__all__ = ["console", "main"]


def main() -> None:
    """Entry point: what the user, or the owner of the machine, can mend is printed plainly and exits with 2."""
    try:
        with optional():
            app()
    except Exception as error:
        told = explained(error)
        if told is None:
            raise
        Console(stderr=True, highlight=False).print(
            literal(f"error: {told}"), style="red", markup=False, soft_wrap=True
        )
        sys.exit(2)
