"""`uml theory …`: the calculator of what an auxiliary silo could add."""

from pathlib import Path
from typing import Annotated

import typer

from uml_pipeline.cli.app import app, console
from uml_pipeline.errors import UserError

theory = typer.Typer()
app.add_typer(theory, name="theory", rich_help_panel="More")


@theory.callback(invoke_without_command=True)
def model_theory(
    context: typer.Context,
    model: Annotated[
        Path | None, typer.Option(help="YAML or JSON file of the model.", show_default="a built-in example, printed")
    ] = None,
    figure: Annotated[Path | None, typer.Option(help="Also write a figure to this SVG file.")] = None,
) -> None:
    """What could an auxiliary silo add? A calculator: the linear-Gaussian model behind the method.

    Each sample is a linear view of unknowns that both silos depend on, and of
    others that only its own silo does, plus noise. Printed are the information,
    the variance along each direction (target alone, auxiliary alone, both),
    blind spots, what auxiliary samples are worth in target samples, and when
    they harm. A model file:

    \b
    common: 3                 # unknowns that both silos depend on
    target:
      samples: 20
      noise: 1.0              # standard deviation
      values: 6               # numbers measured in a sample: a random design,
      own: 2                  # with so many unknowns of its own,
      strength: [1, 0.3, 0]   # that shows the common ones so strongly
    auxiliary:
      samples: 200
      noise: 3.0
      design:                 # or one written out, a row for each number
        common: [[1, 0, 0], [0, 1, 1], [0, 1, -1], [0, 0, 2]]
        own: [[1], [1], [0], [1]]
    directions:               # reported beside the principal ones
      contrast: [1, -1, 0]
    seed: 0
    """
    if context.invoked_subcommand:
        if model or figure:
            fix = f"leave --model and --figure away, or leave {context.invoked_subcommand!r} away"
            raise UserError("two things are asked for", where="uml theory", fix=fix)
        return
    from uml_pipeline.theory.calculator import answer
    from uml_pipeline.theory.config import EXAMPLE, read_model
    from uml_pipeline.theory.show import show

    read = read_model(model)
    if model is None:
        console.print("An example; write your own model to a file, and name it with --model:\n")
        console.print(EXAMPLE, markup=False)
    found = answer(*read.build(), read.named())
    show(found, console)
    if figure:
        from uml_pipeline.theory.figure import draw

        _write(figure, draw(found))


@theory.command()
def exchange(
    accuracies: Annotated[Path, typer.Argument(help="CSV file with the columns target, auxiliary, accuracy.")],
) -> None:
    """Say how many auxiliary samples one target sample is worth, by measured accuracies.

    Fits a plane to accuracies over a grid of target and auxiliary samples (a
    class, say), and takes the ratio of its slopes, with a bootstrap interval. A
    further column `draw` says which random draw of samples a row is of: rows of
    one draw err together.
    """
    from uml_pipeline.theory.measured import read_surface
    from uml_pipeline.theory.show import show_surface

    show_surface(read_surface(accuracies), console)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        where = f"{path}: {error.strerror}"
        raise UserError(
            "the figure cannot be written", where=where, fix="name a file in a folder that exists"
        ) from None
