"""Pages of the reference that are made from the code, so that they cannot drift: the command line, and params.yaml."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

from uml_pipeline.config import Config
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.study import Params


def commands() -> str:
    """All verbs of `uml` with their options as Markdown, from typer itself.

    Its lists of commands are left out: their texts are cut short, and the verbs follow anyway. Examples become code.
    """
    wanted = ["uml_pipeline.cli", "utils", "docs", "--name", "uml", "--title", "The command uml"]
    told = subprocess.run([sys.executable, "-m", "typer", *wanted], check=True, capture_output=True, text=True).stdout
    told = re.sub(r"\*\*Commands\*\*:\n\n(\* .*\n)+\n", "", told)
    return re.sub(r"^uml ", "    uml ", told, flags=re.M)


def parameters() -> str:
    """Every key of params.yaml with what it may be, its default and its meaning, one table a section."""
    lines = ["# params.yaml", "", "`uml`, DVC and Dagster read the same file. Keys you leave out have a default.", ""]
    for section, owner in _sections("", Params):
        lines += [f"## {section or 'At the top'}", "", cleandoc(owner.__doc__ or ""), ""]
        lines += ["| key | may be | default | |", "|---|---|---|---|", *_rows(owner), ""]
    return "\n".join(lines)


def _sections(name: str, owner: type[Config]) -> Iterator[tuple[str, type[Config]]]:
    yield name, owner
    if owner is Params:
        yield "silos.NAME", SiloConfig
    for key, field in owner.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Config):
            yield from _sections(f"{name}.{key}".strip("."), field.annotation)


def _rows(owner: type[Config]) -> Iterator[str]:
    for key, schema in owner.model_json_schema()["properties"].items():
        if "$ref" not in schema:  # a section of its own
            default = f"`{json.dumps(schema['default'])}`" if "default" in schema else ""
            told = " ".join(schema.get("description", "").split())
            yield f"| `{key}` | {_allowed(schema)} | {default} | {told} |"


def _allowed(schema: dict[str, Any]) -> str:
    """What a JSON schema allows, in words."""
    if "anyOf" in schema:
        return " or ".join(_allowed(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_allowed(schema['items'])}"
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {schema[key]:g}" for key, sign in bounds.items() if key in schema]
    kind = "mapping" if schema["type"] == "object" else schema["type"]
    return f"{kind} {', '.join(limits)}".strip()
