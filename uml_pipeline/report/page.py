"""index.html: one page that needs nothing but itself, and in which no text of the user's can become markup."""

import base64
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from uml_pipeline import lineage
from uml_pipeline.lineage import Branch, Lineage
from uml_pipeline.report import words
from uml_pipeline.report.canvas import CARD, INK, LINE, MUTED
from uml_pipeline.report.evidence import Evidence
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, read_json

_SCHEME = {INK: "var(--ink)", MUTED: "var(--muted)", LINE: "var(--line)", CARD: "transparent"}


@dataclass(frozen=True)
class ModelFacts:
    """What is true of the shipped model, whatever it learned."""

    modality: str
    labels: int
    parameters: int
    bytes: int
    told: dict[str, str]
    """What config.json says that a reader asks for, by name."""
    lineage: Lineage
    origin: Branch


def model_facts(study: Study) -> ModelFacts:
    """Read the shipped model's folder; its weights' header only.

    Raises:
        UserError: the model is not made yet, or its lineage is malformed.
    """
    folder = Workspace(study.folder).reading("model")
    config = read_json(folder / "config.json")
    origin = lineage.read(folder)
    weights = folder / "model.safetensors"
    return ModelFacts(
        modality=study.silo(study.target).modality,
        labels=len(read_json(folder / "labels.json")),
        parameters=_parameters(weights),
        bytes=weights.stat().st_size,
        told=_told(config),
        lineage=origin,
        origin=lineage.branches(origin),
    )


def _told(config: dict[str, Any]) -> dict[str, str]:
    """Encoder and training in words. Hashes, and what the encoder learnt of each column, stay in config.json."""
    encoder = config.get("encoder", {})
    rows = {
        "encoder": encoder.get("encoder"),
        "features": encoder.get("dim"),
        "preprocessing": config.get("preprocessing"),
        "trained on": f"{config['samples']} labelled samples" if "samples" in config else None,
    }
    return {name: str(value) for name, value in rows.items() if value is not None}


def _parameters(weights: Path) -> int:
    """How many numbers a safetensors file holds, from its header: 8 bytes of length, then JSON."""
    with weights.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def render(evidence: Evidence, facts: ModelFacts, figures: dict[str, str], understood: dict[str, Any]) -> str:
    """The page as HTML."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"data_uri": _data_uri, "compact": _compact, "size": _size}
    return environment.get_template("page.html").render(
        target=evidence.target,
        silos=evidence.silos,
        verdicts=evidence.verdicts,
        trunk=evidence.trunk,
        headline=words.headline(evidence),
        judged=words.judged(evidence.trunk),
        facts=facts,
        words=words,
        understood=understood,
        figures={name: inline(svg, name) for name, svg in figures.items()},
    )


def inline(svg: str, name: str) -> Markup:
    """An SVG file's text as part of a page: ids of its own, colours of the page's scheme."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", body)
    for colour, variable in _SCHEME.items():
        body = body.replace(colour, variable)
    return Markup(body.replace("<svg", '<svg role="img"', 1))  # drawn by figures.py, where every text is escaped


def _data_uri(path: Path) -> str:
    kind = "png" if path.suffix == ".png" else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _compact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _size(count: float) -> str:
    """Bytes for people, e.g. 1.2 MB."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"
