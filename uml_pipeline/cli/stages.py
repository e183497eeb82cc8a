"""A verb for each of the six stages, of the same name."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from uml_pipeline.cli.app import SiloArgument, StudyOption, app, console


def _add_stage(name: str, asks: str, each: bool) -> None:
    """A verb for one of the six stages. Under DVC (`DVC_STAGE` is set) DVC itself records the result."""

    def one(study: Path, silo: str | None) -> None:
        from uml_pipeline import pipeline
        from uml_pipeline.study import Study

        opened, step = Study(study), pipeline.Step(name, silo)
        if silo:
            opened.silo(silo)
        if "DVC_STAGE" in os.environ:
            with pipeline.alone(opened, step):
                pipeline.call(opened, step)
        else:
            outcome = pipeline.run_step(opened, pipeline.open_ledger(opened), step)
            console.print(f"{step.address}: {outcome.value}")

    def for_silo(silo: SiloArgument, study: StudyOption = Path()) -> None:
        one(study, silo)

    def with_docs(
        silo: SiloArgument,
        study: StudyOption = Path(),
        docs: Annotated[bool, typer.Option("--docs", help="Also write Great Expectations' own HTML page.")] = False,
    ) -> None:
        one(study, silo)
        if docs:
            from uml_pipeline.silo.docs import write_docs
            from uml_pipeline.study import Study

            console.print(f"data docs: {write_docs(Study(study), silo)}")

    def for_study(study: StudyOption = Path()) -> None:
        one(study, None)

    command: Callable[..., Any] = (with_docs if name == "silo" else for_silo) if each else for_study
    app.command(name=name, help=f"Stage {name}. {asks}", rich_help_panel="The six stages")(command)


def _add_stages() -> None:
    from uml_pipeline.pipeline import STAGES

    for stage in STAGES:
        _add_stage(stage.name, stage.asks, stage.each)


_add_stages()
