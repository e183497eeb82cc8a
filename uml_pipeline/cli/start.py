"""Verbs of the first hour: a new study, whether it is ready, and whether this machine is."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from uml_pipeline.cli.app import JsonOption, StudyOption, app, aside, console, print_json
from uml_pipeline.errors import UserError

if TYPE_CHECKING:
    from uml_pipeline.start.project import Wanted

START = "Start here"


@app.command(rich_help_panel=START)
def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the new study.", show_default="here")] = Path(),
    target: Annotated[str | None, typer.Option(help="What the model shall recognise; asked for where absent.")] = None,
    silo: Annotated[list[str] | None, typer.Option(help="Other data about the same things; may be repeated.")] = None,
    git: Annotated[bool, typer.Option(help="Put the study under git, too, unless it is.")] = True,
) -> None:
    """Make a new study of your data: writes params.yaml and all else that it takes.

    A silo is named by its PATH (relative to the study, or a URL), as NAME=PATH,
    or as NAME=MODALITY where the data are still to come: a place for them is made.

    \b
    uml init --target photos --silo notes.csv
    uml init flowers --target shots=image --silo field_guide=text
    """
    from uml_pipeline.start.project import Wanted, create, require_new
    from uml_pipeline.study import Study

    folder = folder.resolve()
    require_new(folder)
    if target is None and not sys.stdin.isatty():
        fix = "name it: `uml init --target PATH`, and other data by `--silo PATH`"
        raise UserError("which silo is the target?", where="uml init", fix=fix)
    wanted = Wanted.parse(target) if target else _ask("Samples of what the model shall recognise", folder)
    others = list(_ask_for_others(folder)) if target is None and not silo else [Wanted.parse(one) for one in silo or []]
    for path in create(folder, wanted, others, git=git):
        console.print(Text(f"wrote {path.relative_to(folder)}"))
    for name, one in Study(folder).params.silos.items():
        console.print(Text(f"{name}: {one.modality}{', the target' if name == wanted.name else ''}; {one.encoder}"))
    console.print("next: read params.yaml, then `uml check`, then `uml run`")


def _ask(question: str, folder: Path) -> "Wanted":
    """Until the answer is a silo."""
    from uml_pipeline.start.project import Wanted

    def understood(said: str) -> Wanted:
        try:
            Wanted.parse(said).keys(folder)
        except UserError as error:
            raise typer.BadParameter(str(error)) from None
        return Wanted.parse(said)

    return typer.prompt(f"{question} (a path, or NAME=MODALITY)", value_proc=understood)


def _ask_for_others(folder: Path) -> Iterator["Wanted"]:
    while typer.confirm("Are there other data about the same things?", default=False):
        yield _ask("Where", folder)


@app.command(rich_help_panel=START)
def check(study: StudyOption = Path(), as_json: JsonOption = False) -> None:
    """Say whether a study is ready, what will run, and for how long; nothing runs.

    Lists every silo, tries a few samples of each, and compares class names.
    Exits with 1 if something would stop the run.
    """
    from uml_pipeline.start.check import check as look_at
    from uml_pipeline.start.show import show
    from uml_pipeline.study import Study

    opened = Study(study)
    found = look_at(opened, starting=lambda name: aside.print(f"looking at {name} …"))
    if as_json:
        print_json(found)
    else:
        show(found, opened.target, console)
    raise typer.Exit(bool(found.problems))


@app.command(rich_help_panel=START)
def doctor(study: StudyOption = Path(), as_json: JsonOption = False) -> None:
    """Say whether this machine is fit: packages, memory, GPU, disk, the way to the model hub.

    What is not well is named with its remedy. Exits with 1 if packages do not fit.
    """
    from uml_pipeline.start.doctor import FATAL, examine

    found = examine(study)
    if as_json:
        print_json(found)
    else:
        for one in found:
            mark, style = ("ok", "green") if one.well else ("!!", "yellow")
            console.print(Text.assemble((f"{mark} ", style), (f"{one.what}: ", "bold"), one.found))
            if not one.well:
                console.print(Text(f"   to do: {one.fix}"))
    raise typer.Exit(any(not one.well for one in found if one.what in FATAL))
