"""From a silo's container to manifest rows: every sample is opened, named by its content, and measured."""

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from uml_pipeline.cache import Cache
from uml_pipeline.errors import UserError
from uml_pipeline.progress import progress
from uml_pipeline.samples import Container, Entry, Sample
from uml_pipeline.samples.container import SPLIT_NAMES
from uml_pipeline.samples.files import read_bytes
from uml_pipeline.silo.config import Modality, SiloConfig
from uml_pipeline.silo.manifest import CONTENT, Row, sample_id
from uml_pipeline.silo.measure import Measured, measure
from uml_pipeline.workers import chunks, each

PICTURE = ".jpg"  # after a sample's id: its key in the cache
_AT_ONCE = {"text": 256, "table": 256, "series": 64, "vector": 256}  # of images and sounds 8, which are large
_SECONDS = 1.0  # of work that a kill may cost
_Fresh = list[tuple[str, bytes]]


def cache_name(modality: Modality) -> str:
    """The cache of what was measured; the number changes with what `measure` does."""
    return f"silo-{modality}-2"


def rows(config: SiloConfig, name: str, container: Container, cache: Cache) -> Iterator[Row]:
    """One manifest row a sample; what is wrong with it is its `bad`. Images and sounds that `cache` knows by content
    are not decoded again.

    Raises:
        UserError: there is no sample at all, or the container finds that it cannot go on.
    """
    found, waiting, written = 0, _Fresh(), time.monotonic()
    some = chunks(container.entries(), _AT_ONCE.get(config.modality, 8))
    with progress(f"reading {name}") as advance:
        try:
            for ready, fresh in each(lambda entries: _measured(entries, config, container, cache), some):
                yield from ready
                found += len(ready)
                advance(len(ready))
                waiting += fresh
                if time.monotonic() - written > _SECONDS:
                    cache.put(waiting)
                    waiting, written = _Fresh(), time.monotonic()
        finally:
            cache.put(waiting)
    if not found:
        fix = "put samples there, or correct `path` in params.yaml"
        raise UserError("the silo is empty: no sample found", where=str(container.source), fix=fix)


def _measured(
    entries: Iterable[Entry], config: SiloConfig, container: Container, cache: Cache
) -> tuple[list[Row], _Fresh]:
    """Rows of a few entries, and what the cache does not know yet."""
    opened = [_open(_row(entry, config), config.modality, container) for entry in entries]
    cached = config.modality in ("image", "audio")
    known = dict(cache.get([row["sample_id"] for row, sample in opened if sample is not None])) if cached else {}
    fresh: _Fresh = []
    for row, sample in opened:
        if sample is None:
            continue
        identity = row["sample_id"]
        if identity in known:
            facts = json.loads(known[identity])
        else:
            one = measure(sample, config.modality)
            facts = one.facts
            fresh += _entries(identity, one) if cached else []
        row.update(facts | {"bad": row.get("bad") or facts.get("bad")})
    return [row for row, _ in opened], fresh


def _entries(identity: str, one: Measured) -> _Fresh:
    picture = [(identity + PICTURE, one.picture)] if one.picture else []
    return [*picture, (identity, json.dumps(one.facts).encode())]


def _row(entry: Entry, config: SiloConfig) -> Row:
    """An entry in the manifest's words: the study's class names, our names of the splits."""
    row = dict(entry)
    label = str(row.get("label") or "")
    row["label"] = (config.synonyms.get(label, label) or None) if config.label else None
    if config.label and not row["label"]:
        row.setdefault("bad", "no label")
    if config.group and not row.get("group"):
        row.setdefault("bad", "no group")
    if (split := row.get("split")) is not None:
        row["split"] = SPLIT_NAMES.get(split.strip().lower())
        if not row["split"]:
            row.setdefault("bad", "unknown split")
    return row


def _open(row: Row, modality: Modality, container: Container) -> tuple[Row, Sample | None]:
    """The row with its `sample_id`, and the sample (as its bytes if it is a file), if it can be opened."""
    content = row[CONTENT[modality]]
    row["sample_id"] = sample_id(content)  # for those that cannot be opened
    if row.get("bad"):
        return row, None
    try:
        sample = content if modality == "text" else container.read(content)
        if isinstance(sample, Path):
            sample = read_bytes(sample)[0]
    except UserError as error:
        row["bad"] = error.what
        return row, None
    row["sample_id"] = sample_id(sample)
    return row, sample
