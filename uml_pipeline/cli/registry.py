"""Verbs about released models: release the new one, list them all, go back to an earlier one."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from uml_pipeline.cli import completion
from uml_pipeline.cli.app import MODELS, JsonOption, StudyOption, app, console, print_json
from uml_pipeline.errors import UserError
from uml_pipeline.progress import waiting

if TYPE_CHECKING:
    from uml_pipeline.study import Study


@app.command(rich_help_panel=MODELS)
def promote(
    study: StudyOption = Path(),
    force: Annotated[bool, typer.Option("--force", help="Release it even if it is judged worse.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Release artifacts/model if it is not worse than the champion. Exit code 1: it was refused."""
    from uml_pipeline import registry
    from uml_pipeline.study import Study

    with waiting("judging the new model"):
        decision = registry.promote(Study(study), force=force)
    if as_json:
        print_json(decision)
    else:
        console.print(Text(f"{decision.outcome}: {decision.reason}"))
    if decision.outcome == "refused":
        raise typer.Exit(1)


@app.command(rich_help_panel=MODELS)
def rollback(
    number: Annotated[
        int | None,
        typer.Argument(help="Of the release.", show_default="the one before", autocompletion=completion.releases),
    ] = None,
    study: StudyOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Make an earlier release the champion again."""
    from uml_pipeline import registry
    from uml_pipeline.study import Study

    decision = registry.rollback(Study(study), number)
    if as_json:
        print_json(decision)
    else:
        console.print(Text(f"the champion is release {decision.number} again; {decision.reason}"))


@app.command(rich_help_panel=MODELS)
def models(
    study: StudyOption = Path(),
    champion: Annotated[bool, typer.Option("--champion", help="Print the champion's folder alone.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List all models that were released or refused, oldest first."""
    from uml_pipeline.study import Study

    if champion:
        _print_champion(Study(study), as_json)
        return
    found = _models(Study(study))
    if as_json:
        print_json(found)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("release", "when", "method", "model", "accuracy", "why", "state"):
        table.add_column(name, no_wrap=name in ("release", "model", "state"), overflow="fold")
    for one in found:
        table.add_row(*map(Text, _cells(**one)))
    console.print(table)


def _print_champion(study: "Study", as_json: bool) -> None:
    from uml_pipeline.registry import champion

    released = champion(study)
    if released is None:
        raise UserError("no model is released yet", where=str(study.folder), fix="release one: `uml promote`")
    if as_json:
        print_json(released)
    else:
        typer.echo(released.folder)


def _models(study: "Study") -> list[dict[str, Any]]:
    """A model each, by its last judgement."""
    from uml_pipeline.registry import champion, history, taken_back

    decisions, now = history(study), champion(study)
    last = {one.challenger: one for one in decisions if one.outcome in ("promoted", "refused")}
    gone, released = taken_back(decisions), {one.challenger for one in decisions if one.outcome == "promoted"}
    found = []
    for digest, one in last.items():
        state = "earlier" if digest in released else "refused"
        state = "taken back" if digest in gone else "champion" if now and now.model == digest else state
        number = one.number if one.outcome == "promoted" else None
        about = {"method": one.method, "model": digest, "accuracy": one.accuracy, "why": one.reason, "state": state}
        found.append({"release": number, "when": one.when, **about})
    return found


def _cells(
    release: int | None, when: datetime, method: str, model: str, accuracy: float | None, why: str, state: str
) -> tuple[str, ...]:
    share = "" if accuracy is None else f"{accuracy:.1f} %"
    clock = when.astimezone().strftime("%Y-%m-%d %H:%M")
    return (str(release or ""), clock, method, model[:8], share, why, state)
