"""`uml …`: the command line. Every stage is a verb of the same name; `uml run` brings all of them up to date."""

import sys

from rich.console import Console

# each adds its verbs, in the order in which --help lists them
# isort: off
from uml_pipeline.cli import start, study, model, registry, lineage, stages, theory  # noqa: F401

# isort: on
from uml_pipeline.cli.app import app, console, literal
from uml_pipeline.errors import explained
from uml_pipeline.extras import optional

__all__ = ["console", "main"]


def main() -> None:
    """Entry point: what the user, or the owner of the machine, can mend is printed plainly and exits with 2."""
    try:
        with optional():
            app(prog_name="uml")  # also as `python -m uml_pipeline`, and for the shell that asks what to complete
    except Exception as error:
        told = explained(error)
        if told is None:
            raise
        Console(stderr=True, highlight=False).print(
            literal(f"error: {told}"), style="red", markup=False, soft_wrap=True
        )
        sys.exit(2)
