"""The lineage as a tree under the model, to be printed or shown in the report."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text
from rich.tree import Tree

from uml_pipeline.lineage.records import Data, Lineage, Node, read
from uml_pipeline.pipeline import Step


@dataclass(frozen=True)
class Branch:
    """A node with what it was made from. A step that reaches a node by a longer way is not drawn above it twice."""

    node: Node
    params: list[str]
    """The node's parameters, without those that a step above it read before, and without empty ones."""
    data: Data | None
    """The raw files, where the node reads some."""
    inputs: list["Branch"]


def branches(lineage: Lineage) -> Branch:
    """The graph as a tree under the model."""
    nodes = {node.step: node for node in lineage.nodes}
    above: dict[str, set[str]] = {}
    for node in reversed(lineage.nodes):
        above[node.step] = set(node.inputs).union(*(above[step] for step in node.inputs))

    def grow(node: Node) -> Branch:
        longer = set().union(*(above[step] for step in node.inputs)) if node.inputs else set()
        direct = [nodes[step] for step in node.inputs if step not in longer]
        step = Step.parse(node.step)
        data = lineage.data.get(step.silo) if step.stage == "silo" and step.silo else None
        told = {_section(key) for other in above[node.step] for key in nodes[other].params}
        params = [f"{key}: {_brief(value)}" for key, value in node.params.items() if _section(key) not in told]
        return Branch(node, params, data, [grow(below) for below in direct])

    return grow(lineage.nodes[0])


def tree(model: Path) -> Tree:
    """The lineage of a shipped model, to be printed.

    Raises:
        UserError: the folder is no model's, or its lineage.json is malformed.
    """
    lineage = read(model)
    root = _twig(branches(lineage), f" ({lineage.method})")
    about = root.add(Text("made by"))
    if lineage.git:
        changed = ", with changes that are not committed" if lineage.git.dirty else ""
        about.add(Text(f"git commit {lineage.git.commit[:12]}{changed}"))
    installed = [f"{name} {found}" for name, found in {"python": lineage.python, **lineage.packages}.items() if found]
    about.add(Text(", ".join(installed)))
    threads = f", {lineage.threads} threads" if lineage.threads else ""
    about.add(Text(f"study {lineage.study!r}, {lineage.seeds} splits, on {lineage.machine!r}{threads}"))
    return root


def _section(key: str) -> str:
    return key.partition(".")[0]


def _brief(value: Any) -> str:
    """As JSON, which escapes control characters."""
    return json.dumps(
        {key: part for key, part in value.items() if part is not None} if isinstance(value, dict) else value
    )


def _twig(branch: Branch, note: str = "", parent: Tree | None = None) -> Tree:
    node = branch.node
    label = Text.assemble((node.step, "bold"), note, f"  {node.version[:12]}  ", (f"code {node.code[:12]}", "dim"))
    for line in branch.params:
        label.append(f"\n{line}", "dim")
    twig = parent.add(label) if parent is not None else Tree(label)
    for below in branch.inputs:
        _twig(below, parent=twig)
    if branch.data:
        raw = branch.data
        twig.add(Text.assemble((repr(raw.path), "bold"), f"  {raw.hash[:12]}  ", (raw.of, "dim")))
    return twig
