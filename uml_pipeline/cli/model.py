"""Verbs about a shipped model: use it, export it, publish it, and say where it comes from."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uml_pipeline.cli import completion
from uml_pipeline.cli.app import MODELS, JsonOption, ModelArgument, app, literal, print_json
from uml_pipeline.errors import UserError

if TYPE_CHECKING:
    from uml_pipeline.model import UnimodalModel
    from uml_pipeline.model.listing import Named
    from uml_pipeline.model.predictions import Append

ShippedArgument = Annotated[
    str,
    typer.Argument(
        help="Folder of a shipped model, e.g. artifacts/model; or `hf://USER/NAME`.", autocompletion=completion.models
    ),
]


class Form(StrEnum):
    """What `uml export` can write."""

    onnx, torch = "onnx", "torch"


_NAMES = {Form.onnx: "model.onnx", Form.torch: "model.pt2"}


@app.command(rich_help_panel=MODELS)
def predict(
    model: ShippedArgument,
    samples: Annotated[
        list[str],
        typer.Argument(
            help="Files to recognise, or folders of them: pictures, sounds, tables of rows; or texts themselves."
        ),
    ],
    top: Annotated[int, typer.Option(min=1, help="How many labels for each sample.")] = 3,
    out: Annotated[
        Path | None,
        typer.Option(help="Write a table, .parquet, .csv or .jsonl; what cannot be read is a row with an error."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Recognise samples with a shipped model: needs its folder alone, none of the study's data.

    With `--out` or `--json`, what cannot be read is a row with an `error`; exit code 1: that was all of them.
    """
    from uml_pipeline.model import UnimodalModel
    from uml_pipeline.model.listing import listed

    loaded = UnimodalModel.load(model)
    named = listed(samples, loaded)
    if out is None and not as_json:
        _print(loaded, named, top)
        return
    good = _print_rows(loaded, named, top) if out is None else _write(loaded, named, top, out, as_json)
    if not good:
        raise typer.Exit(1)


def _print(model: "UnimodalModel", named: "list[Named]", top: int) -> None:
    from uml_pipeline.model.outcomes import outcomes

    for some in outcomes(model, named):
        for name, outcome in some:
            if isinstance(outcome, UserError):
                fix = f"{outcome.fix}; or `--out preds.csv`, where it is a row with an error"
                raise UserError(outcome.what, where=outcome.where, fix=fix)
            [guesses] = model.best(outcome[None], top)
            typer.echo("\t".join(map(literal, [name, *(f"{label} {share:.1%}" for label, share in guesses)])))


def _print_rows(model: "UnimodalModel", named: "list[Named]", top: int) -> int:
    rows = list[dict[str, Any]]()
    good = _tabled(model, named, top, lambda some: rows.extend(json.loads(some.to_json(orient="records"))))
    print_json(rows)
    return good


def _write(model: "UnimodalModel", named: "list[Named]", top: int, out: Path, as_json: bool) -> int:
    from uml_pipeline.model.predictions import writing

    with writing(out) as append:
        good = _tabled(model, named, top, append)
    bad = len(named) - good
    told = f"; {bad} could not be read, see the column `error`" if bad else ""
    if as_json:
        print_json({"table": out, "samples": len(named), "recognised": good})
    else:
        typer.echo(f"{good} of {len(named)} samples recognised: {out}{told}")
    return good


def _tabled(model: "UnimodalModel", named: "list[Named]", top: int, append: "Append") -> int:
    """Give all rows to `append`; how many were recognised."""
    from uml_pipeline.model.outcomes import outcomes
    from uml_pipeline.model.predictions import table
    from uml_pipeline.progress import progress

    good = 0
    with progress("samples", len(named)) as advance:
        for some in outcomes(model, named):
            rows = table(model, some, top)
            append(rows)
            good += int(rows["error"].isna().sum())
            advance(len(some))
    return good


@app.command(rich_help_panel=MODELS)
def export(
    model: ShippedArgument,
    form: Annotated[Form, typer.Option("--format", help="ONNX, or a program of torch.export.")] = Form.onnx,
    out: Annotated[Path | None, typer.Option(help="File to write.", show_default="model.onnx or model.pt2")] = None,
    samples: Annotated[
        list[str] | None,
        typer.Option(help="Samples to check it with, as `predict` takes them.", show_default="the study's test split"),
    ] = None,
) -> None:
    """Write a shipped model as one graph, from the encoder's input to probabilities, and check it on real samples."""
    from uml_pipeline.model import UnimodalModel
    from uml_pipeline.model.export import export as write
    from uml_pipeline.model.held_out import held_out_samples
    from uml_pipeline.model.listing import listed
    from uml_pipeline.model.outcomes import Opened

    loaded = UnimodalModel.load(model)
    real = Opened(listed(samples, loaded)) if samples else held_out_samples(loaded.folder)
    done = write(loaded, form.value, out or Path(_NAMES[form]), real)
    told = f"the same labels on {done.samples} samples, probabilities to {done.difference:.1g}"
    typer.echo(f"{done.file}: {told}\n{done.about}: how to prepare its input")


@app.command(rich_help_panel=MODELS)
def push(
    model: ModelArgument,
    repository: Annotated[str, typer.Argument(metavar="USER/NAME", help="Repository of the Hugging Face hub.")],
    private: Annotated[bool, typer.Option("--private", help="If it is new, let nobody else see it.")] = False,
) -> None:
    """Upload a shipped model to the Hugging Face hub; `hf://USER/NAME` opens it from there."""
    from uml_pipeline.model.hub import push as upload

    typer.echo(upload(model, repository, private=private))
