"""Verbs about where a shipped model comes from: say it, check whether it still holds, do it again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from uml_pipeline.cli.app import (
    MODELS,
    JsonOption,
    ModelArgument,
    StudyOption,
    app,
    aside,
    console,
    literal,
    print_json,
)

if TYPE_CHECKING:
    from uml_pipeline.lineage.reproduce import Reproduction
    from uml_pipeline.lineage.verify import Finding

_MADE = Path("artifacts/model")
_KEY = Path("~/.ssh/id_ed25519")
_SHOWN = 20


@app.command(rich_help_panel=MODELS)
def lineage(model: ModelArgument = _MADE, as_json: JsonOption = False) -> None:
    """Print where a model comes from: model, trunk, features, silos, with hashes, parameters and code."""
    from uml_pipeline.lineage import read, tree

    if as_json:
        print_json(read(model))
    else:
        console.print(tree(model))


@app.command(rich_help_panel=MODELS)
def verify(
    model: ModelArgument = _MADE,
    study: StudyOption = Path(),
    signers: Annotated[
        Path | None,
        typer.Option(help="OpenSSH's file of allowed signers: check seal and signature alone, without a study."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read all of a model's inputs again and say what changed since it was made. Exit code 1: something did."""
    from uml_pipeline.lineage.verify import own_files, verify
    from uml_pipeline.model.signature import signer
    from uml_pipeline.study import Study

    if signers:
        (aside if as_json else console).print(Text(literal(f"signed by {signer(model, signers)}")))
    findings = [own_files(model)] if signers else verify(Study(study), model)
    if as_json:
        print_json(findings)
    else:
        _show(findings)
    if any(one.differs for one in findings):
        raise typer.Exit(1)


@app.command(rich_help_panel=MODELS)
def sign(
    model: ModelArgument,
    key: Annotated[Path, typer.Option(help="Private SSH key, or a public one that `ssh-agent` knows.")] = _KEY,
) -> None:
    """Vouch for a model with an SSH key. Whoever has your public one checks it: `uml verify MODEL --signers FILE`.

    Sign a release (`uml models`) or a copy: in artifacts/, the next run would put the folder back as it was made.
    """
    from uml_pipeline.model.signature import sign

    typer.echo(sign(model, key.expanduser()))


@app.command(rich_help_panel=MODELS)
def reproduce(model: ModelArgument = _MADE, study: StudyOption = Path(), as_json: JsonOption = False) -> None:
    """Make a model again from its recorded inputs and compare the bytes. Exit code 1: they differ."""
    from uml_pipeline.lineage.reproduce import reproduce
    from uml_pipeline.study import Study

    words = aside if as_json else console
    found = reproduce(Study(study), model, starting=lambda step: words.print(f"[bold]{step.address}[/bold] …"))
    if as_json:
        print_json(found)
    else:
        _tell(found)
    if found.differs:
        raise typer.Exit(1)


def _tell(found: "Reproduction") -> None:
    if not found.differs:
        console.print("equal: every byte of weights, configuration and labels")
        return
    for line in found.differs:
        console.print(Text(literal(f"differs: {line}")))
    if found.because:
        console.print("what may explain it:")
        _show(found.because)
    else:
        console.print("code and packages are those that made the model: another machine may round otherwise")


def _show(findings: list["Finding"]) -> None:
    table = Table("input", "state", "what differs")
    for one in findings:
        more = [f"… {len(one.differs) - _SHOWN} more"] if len(one.differs) > _SHOWN else []
        told = Text(literal("\n".join([*one.differs[:_SHOWN], *more])))
        state = Text("changed", "yellow") if one.differs else Text("same", "green")
        table.add_row(one.what, state, told)
    console.print(table)
