"""Verdicts as the stage has written them."""

from typing import TYPE_CHECKING, Any

from uml_pipeline.workspace import Workspace, read_json

if TYPE_CHECKING:
    from uml_pipeline.study import Study


def read_verdicts(study: "Study") -> dict[str, dict[str, Any]]:
    """The verdict on each auxiliary silo, in the order of params.yaml.

    Raises:
        UserError: relevance has not run yet.
    """
    folder = Workspace(study.folder).reading("relevance")
    return {name: read_json(folder / f"{name}.json") for name in study.auxiliary}


def set_aside(study: "Study", name: str) -> set[str]:
    """Samples of a silo that are not to be learnt from: `relevance.suspicious`.

    Raises:
        UserError: relevance has not run yet.
    """
    folder = Workspace(study.folder).reading("relevance")
    return set() if name == study.target else set(read_json(folder / f"{name}.json")["set_aside"])
