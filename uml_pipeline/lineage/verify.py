"""Does what a model was made from still stand as it was? Its own files, raw data, parameters, code and packages."""

import contextlib
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uml_pipeline.errors import UserError
from uml_pipeline.ledger import Ledger
from uml_pipeline.lineage.environment import code_of, packages
from uml_pipeline.lineage.raw import changes
from uml_pipeline.lineage.records import Lineage, read
from uml_pipeline.model.folder import HASHED, model_hash, opening
from uml_pipeline.pipeline import STAGES
from uml_pipeline.study import Params, Study
from uml_pipeline.workspace import unlike_seal


@dataclass(frozen=True)
class Finding:
    """One thing that was compared, and what differs; nothing where it is the same."""

    what: str
    differs: list[str]


def verify(study: Study, model: Path) -> list[Finding]:
    """Compare a model's lineage with what is here now; raw data are read again as a whole.

    Raises:
        UserError: the folder is no model's, or its lineage.json is malformed.
    """
    lineage = read(model)
    data = [Finding(f"raw data of {name}", raw_data(study, lineage, name)) for name in lineage.data]
    parameters = Finding("parameters", list(_parameters(study, lineage)))
    return [own_files(model), *data, parameters, *made_by(lineage)]


def raw_data(study: Study, lineage: Lineage, name: str) -> list[str]:
    """What became of a silo's samples since, one line a sample."""
    try:
        found = changes(study, lineage, name)
        if found is None:
            return [] if _same_hash(study, lineage, name) else ["changed; what it was is not kept any more"]
    except UserError as error:
        return [error.what]
    return [str(one) for one in found]


def made_by(lineage: Lineage) -> list[Finding]:
    """Code and packages."""
    stages = {stage.name: stage for stage in STAGES}
    code = {node.step.partition("@")[0]: node.code for node in lineage.nodes}
    changed = [name for name, digest in code.items() if name not in stages or code_of(stages[name]) != digest]
    then = {"python": lineage.python, **lineage.packages}
    now = {"python": platform.python_version(), **packages()}
    return [Finding("code", [f"stage {name}" for name in changed]), Finding("packages", list(_unlike(then, now)))]


def own_files(model: Path) -> Finding:
    """The folder against its seal, and that which makes a model against the lineage.

    Raises:
        UserError: it is no model's, or its lineage.json is malformed.
    """
    return Finding("the model's own files", list(_files(model, read(model))))


def _files(model: Path, lineage: Lineage) -> Iterator[str]:
    with opening(model):
        unlike = unlike_seal(model)
    yield from (f"{name}: {state}" for name, state in unlike.items())
    whole = all((model / name).is_file() for name in HASHED)
    if whole and unlike.keys().isdisjoint(HASHED) and model_hash(model) != lineage.nodes[0].version:
        yield f"{', '.join(HASHED)}: not those that lineage.json is about"


def _same_hash(study: Study, lineage: Lineage, name: str) -> bool:
    """Where no manifest is kept: whether DVC finds the same hash."""
    if name not in study.params.silos:
        return False
    data = lineage.data[name]
    return data.of == "DVC md5" and data.hash in Ledger(study.folder).inputs(f"silo@{name}").values()


def _parameters(study: Study, lineage: Lineage) -> Iterator[str]:
    """Of the sections that the model depends on. A key that is younger than the model had its default then."""
    recorded = {key: value for node in lineage.nodes for key, value in node.params.items() if "." not in key}
    with contextlib.suppress(ValueError):  # of keys that are no more: they differ
        recorded = Params.model_validate(recorded).model_dump(mode="json", include=set(recorded))
    yield from _unlike(_flat(recorded), _flat(study.params.model_dump(mode="json", include=set(recorded))))


def _unlike(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(then.keys() | now.keys()):
        if then.get(key) != now.get(key):
            yield f"{key}: {then.get(key)}, now {now.get(key)}"


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """`{"a": {"b": 1}}` as `{"a.b": 1}`."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return flat
