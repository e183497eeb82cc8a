"""What Tab offers beside verbs and options: names of silos, numbers of releases, folders of models.

Where nothing is known, nothing is offered, and the shell goes on with names of files.
"""

from contextlib import suppress
from pathlib import Path

import typer

from uml_pipeline.errors import UserError

Offered = list[tuple[str, str]]
"""Words, each with what it is."""


def silos(context: typer.Context, incomplete: str) -> Offered:
    """Of params.yaml."""
    from uml_pipeline.study import Study

    with suppress(UserError):
        found = Study(_study(context)).params.silos
        return [(name, one.modality) for name, one in found.items() if name.startswith(incomplete)]
    return []


def releases(context: typer.Context, incomplete: str) -> Offered:
    """Numbers of the registry, newest first."""
    from uml_pipeline.registry.book import releases
    from uml_pipeline.study import Study

    with suppress(UserError):
        found = sorted(releases(Study(_study(context))).items(), reverse=True)
        return [(str(number), f"{one.when:%Y-%m-%d}") for number, one in found if str(number).startswith(incomplete)]
    return []


def models(context: typer.Context, incomplete: str) -> Offered:
    """The study's own model, and the released ones."""
    study = _study(context)
    found = [study / "artifacts" / "model", *sorted((study / "registry" / "models").glob("[0-9]*"), reverse=True)]
    said = [(str(one), "made last" if one == found[0] else "released") for one in found if one.is_dir()]
    return [(name, about) for name, about in said if name.startswith(incomplete)]


def _study(context: typer.Context) -> Path:
    return context.params.get("study") or Path()
