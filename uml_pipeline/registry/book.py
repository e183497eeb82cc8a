"""The registry's files."""

from typing import TYPE_CHECKING

from uml_pipeline.registry.records import Decision, Release

if TYPE_CHECKING:
    from uml_pipeline.study import Study


def history(study: "Study") -> list[Decision]:
    """Every decision, oldest first."""
    raise NotImplementedError


def champion(study: "Study") -> Release | None:
    """The released model in force; None before the first."""
    raise NotImplementedError
