"""Verbs about released models: release the new one, list them all, go back to an earlier one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from uml_pipeline.cli.app import MODELS, StudyOption, app, console
from uml_pipeline.errors import UserError

if TYPE_CHECKING:
    from uml_pipeline.study import Study


@app.command(rich_help_panel=MODELS)
def promote(
    study: StudyOption = Path(),
    force: Annotated[bool, typer.Option("--force", help="Release it even if it is judged worse.")] = False,
) -> None:
    """Release artifacts/model if it is not worse than the champion. Exit code 1: it was refused."""
    from uml_pipeline import registry
    from uml_pipeline.study import Study

    decision = registry.promote(Study(study), force=force)
    console.print(Text(f"{decision.outcome}: {decision.reason}"))
    if decision.outcome == "refused":
        raise typer.Exit(1)


@app.command(rich_help_panel=MODELS)
def rollback(
    number: Annotated[int | None, typer.Argument(help="Of the release.", show_default="the one before")] = None,
    study: StudyOption = Path(),
) -> None:
    """Make an earlier release the champion again."""
    from uml_pipeline import registry
    from uml_pipeline.study import Study

    decision = registry.rollback(Study(study), number)
    console.print(Text(f"the champion is release {decision.number} again; {decision.reason}"))


@app.command(rich_help_panel=MODELS)
def models(
    study: StudyOption = Path(),
    champion: Annotated[bool, typer.Option("--champion", help="Print the champion's folder alone.")] = False,
) -> None:
    """List all models that were released or refused, oldest first."""
    from uml_pipeline import registry
    from uml_pipeline.study import Study

    opened = Study(study)
    if champion:
        released = registry.champion(opened)
        if released is None:
            raise UserError("no model is released yet", where=str(opened.folder), fix="release one: `uml promote`")
        typer.echo(released.folder)
        return
    table = Table()
    for name in ("release", "when", "method", "model", "accuracy", "why", "state"):
        table.add_column(name, no_wrap=name not in ("when", "why"), min_width=10 if name in ("when", "why") else None)
    for cells in _rows(opened):
        table.add_row(*map(Text, cells))
    console.print(table)


def _rows(study: "Study") -> list[tuple[str, ...]]:
    """A line a model, by its last judgement."""
    from uml_pipeline.registry import champion, history, taken_back

    decisions, now = history(study), champion(study)
    last = {one.challenger: one for one in decisions if one.outcome in ("promoted", "refused")}
    gone, released = taken_back(decisions), {one.challenger for one in decisions if one.outcome == "promoted"}
    rows: list[tuple[str, ...]] = []
    for digest, one in last.items():
        state = "earlier" if digest in released else "refused"
        state = "taken back" if digest in gone else "champion" if now and now.model == digest else state
        number = str(one.number) if one.outcome == "promoted" else ""
        accuracy = f"{one.accuracy:.1f} %" if one.accuracy is not None else ""
        when = one.when.astimezone().strftime("%Y-%m-%d %H:%M")
        rows.append((number, when, one.method, digest[:8], accuracy, one.reason, state))
    return rows
