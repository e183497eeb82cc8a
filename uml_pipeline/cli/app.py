"""What all verbs share: the app that they are added to, the console, and the options that many take."""

import unicodedata
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic_core import to_json
from rich.console import Console

from uml_pipeline.cli import completion

app = typer.Typer(
    help="""Unpaired silos in, one stronger single-modality model out.

    Start with `uml init` in a folder of your data, or `uml run` in a study's folder.

    Scripts: `--json`, and exit codes: 1 the answer is no, 2 something is to be mended, 130 Ctrl-C. Shells:
    `uml --install-completion` once, and Tab knows verbs, silos, releases and models.""",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
console = Console(highlight=False)
aside = Console(stderr=True, highlight=False)
"""For words where `--json` has stdout."""
StudyOption = Annotated[Path, typer.Option("--study", help="Folder with the study's params.yaml.", show_default="here")]
SiloArgument = Annotated[str, typer.Argument(help="Name of a silo in params.yaml.", autocompletion=completion.silos)]
ModelArgument = Annotated[Path, typer.Argument(help="Folder of a shipped model.", autocompletion=completion.models)]
JsonOption = Annotated[bool, typer.Option("--json", help="For scripts: JSON on stdout, words on stderr.")]
MODELS = "Shipped models"  # heading of the verbs about them


def print_json(value: Any) -> None:
    """Print dataclasses, pydantic models, and what JSON knows; a number that is none is null."""
    typer.echo(to_json(value, indent=2, inf_nan_mode="null").decode())


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("uml-pipeline"))
        raise typer.Exit


@app.callback()
def _every_verb(
    _: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)] = False,
) -> None:
    """Options before any verb."""


_TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # the direction of writing


def literal(text: str) -> str:
    """Somebody's words for a terminal: codes that would move its cursor, or turn what follows, are spelt out."""
    return "".join(repr(one)[1:-1] if _steers(one) else one for one in text)


def _steers(one: str) -> bool:
    return one != "\n" and (unicodedata.category(one) in ("Cc", "Cs") or one in _TURNS)
