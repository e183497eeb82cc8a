"""index.html: one page that needs nothing but itself, and in which no text of the user's can become markup."""

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from uml_pipeline.report import bundle, figures, live, words
from uml_pipeline.report.canvas import CARD, INK, LINE, MUTED, looks
from uml_pipeline.report.evidence import Evidence
from uml_pipeline.report.facts import ModelFacts
from uml_pipeline.report.headline import headline

_SCHEME = {INK: "var(--ink)", MUTED: "var(--muted)", LINE: "var(--line)", CARD: "transparent"}


def render(
    evidence: Evidence,
    facts: ModelFacts,
    drawn: Mapping[str, str],
    understood: Mapping[str, Any],
    pictures: Mapping[str, Path],
) -> str:
    """The page as HTML.

    Args:
        evidence: what the other stages found.
        facts: of the shipped model.
        drawn: still figures by name, SVG.
        understood: what understanding.json holds.
        pictures: of the samples that it names, by their id.
    """
    specs = live.draw(evidence, understood)
    return (
        _environment()
        .get_template("page.html")
        .render(
            target=evidence.target,
            evidence=evidence,
            silos=evidence.silos,
            verdicts=evidence.verdicts,
            trunk=evidence.trunk,
            headline=headline(evidence),
            facts=facts,
            understood=understood,
            pictures=pictures,
            figures={name: inline(svg, name) for name, svg in drawn.items()},
            drawn=figures.drawn(evidence.trunk),
            looks=looks(evidence.trunk),
            live=specs,
            specs=Markup("{" + ",".join(f'"{name}":{spec}' for name, spec in specs.items()) + "}"),
            scripts=[bundle.element(script) for script in bundle.scripts()],
            policy=bundle.policy(),
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(bundle.TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"data_uri": _data_uri, "compact": _compact, "size": _size}
    environment.globals["words"] = words
    return environment


def inline(svg: str, name: str) -> Markup:
    """An SVG file's text as part of a page: ids of its own, colours of the page's scheme."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", body)
    for colour, variable in _SCHEME.items():
        body = body.replace(colour, variable)
    return Markup(body)  # drawn by figures.py, where every text is escaped


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
