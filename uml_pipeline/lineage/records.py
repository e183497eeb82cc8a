"""lineage.json: what it says, and how it is read."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, PositiveInt, StringConstraints, ValidationError, model_validator

from uml_pipeline.errors import UserError

FILE = "lineage.json"

# a shipped model may come from a stranger: only what is printed as it is needs a form that cannot carry terminal codes
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{4,128}(\.dir)?$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_@.+!-]{0,99}$")]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Node(_Record):
    """One step: what it made, with which code and parameters, from which other steps."""

    step: Name
    version: Hash
    code: Hash
    params: dict[Name, Any]
    inputs: list[Name]


class Git(_Record):
    """The commit that the study stands at; `dirty` if a tracked file differs from it."""

    commit: Hash
    dirty: bool


class Data(_Record):
    """A silo's raw data."""

    path: str
    hash: Hash
    of: Literal["DVC md5", "sample ids"]


class Lineage(_Record):
    """lineage.json. Each node stands before its inputs; the first is the model."""

    study: str
    method: Name
    nodes: list[Node]
    data: dict[Name, Data]
    git: Git | None
    packages: dict[Name, Name | None]
    python: Name
    machine: str
    threads: PositiveInt | None = None
    """Of torch: a sum over other shares of the terms rounds otherwise. None: an older model."""
    seeds: int

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        later: set[str] = set()
        for node in reversed(self.nodes):
            if not set(node.inputs) <= later:
                raise ValueError(f"step {node.step!r} stands after one of its inputs, or an input is missing")
            later.add(node.step)
        if not self.nodes or self.nodes[0].step != "model":
            raise ValueError("the first node must be the model")
        return self


def read(model: Path) -> Lineage:
    """The lineage of a shipped model.

    Raises:
        UserError: no such folder, no lineage.json in it, or a malformed one.
    """
    path = model / FILE
    if not path.is_file():
        fix = "name the folder of a shipped model, such as artifacts/model"
        raise UserError(f"no {FILE} here", where=str(model), fix=fix)
    try:
        return Lineage.model_validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"]) or "the whole file"
        where, fix = f"{path}, {place!r}", "make the model again: `uml model`"
        raise UserError(f"{FILE} is malformed: {problem['msg']}", where=where, fix=fix) from None
