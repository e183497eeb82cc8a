"""What all verbs share: the app that they are added to, the console, and the options that many take."""

import unicodedata
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

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
ModelArgument = Annotated[Path, typer.Argument(help="Folder of a shipped model.")]
MODELS = "Shipped models"  # heading of the verbs about them
_TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # the direction of writing


def literal(text: str) -> str:
    """Somebody's words for a terminal: codes that would move its cursor, or turn what follows, are spelt out."""
    return "".join(repr(one)[1:-1] if _steers(one) else one for one in text)


def _steers(one: str) -> bool:
    return one != "\n" and (unicodedata.category(one) in ("Cc", "Cs") or one in _TURNS)
