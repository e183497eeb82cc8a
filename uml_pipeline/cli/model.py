"""Verbs about a shipped model: use it, and say where it comes from."""

from pathlib import Path
from typing import Annotated, Any

import typer

from uml_pipeline.cli.app import MODELS, ModelArgument, app, console
from uml_pipeline.errors import UserError


@app.command(rich_help_panel=MODELS)
def predict(
    model: Annotated[Path, typer.Argument(help="Folder of a shipped model, e.g. artifacts/model.")],
    samples: Annotated[
        list[str], typer.Argument(help="Files to recognise: pictures, sounds, tables of rows; or texts themselves.")
    ],
    top: Annotated[int, typer.Option(min=1, help="How many labels for each sample.")] = 3,
) -> None:
    """Recognise samples with a shipped model: needs its folder alone, none of the study's data."""
    from uml_pipeline.model import load

    loaded = load(model)
    if (modality := loaded.config["modality"]) in ("series", "vector"):
        fix = 'in Python: `uml_pipeline.model.load("…").predict(samples)`'
        raise UserError(f"a {modality} cannot be typed in a shell", where=str(model), fix=fix)
    named = _rows(samples, loaded.config) if modality == "table" else [(name, name) for name in samples]
    predicted = loaded.predict([sample for _, sample in named], top=top)
    for (name, _), guesses in zip(named, predicted, strict=True):
        typer.echo(f"{name}\t" + "\t".join(f"{label} {share:.1%}" for label, share in guesses))


def _rows(tables: list[str], model: dict[str, Any]) -> list[tuple[str, Any]]:
    """All rows of some tables, by file and number. Columns that the model does not know do no harm."""
    from uml_pipeline.samples import open_container
    from uml_pipeline.silo.config import SiloConfig

    found, known = list[tuple[str, Any]](), model["encoder"].get("fitted") or {}
    for table in tables:
        if not Path(table).is_file():
            raise UserError("no such file", where=table, fix="name a table of rows: CSV, TSV, Parquet or JSON lines")
        container = open_container(SiloConfig(modality="table", path=table, encoder="", label=None), Path())
        rows: list[tuple[str, Any]] = [(one["path"], container.read(one["path"])) for one in container.entries()]
        if known and not any(known.keys() & row for _, row in rows):
            fix = f"give it the columns that the model learnt from: {', '.join(known)}"
            raise UserError("the table has no column that the model knows", where=table, fix=fix)
        found += rows
    return found


@app.command(rich_help_panel=MODELS)
def lineage(
    model: ModelArgument = Path("artifacts/model"),
) -> None:
    """Print where a model comes from: model, trunk, features, silos, with hashes, parameters and code."""
    from uml_pipeline.lineage import tree

    console.print(tree(model))
