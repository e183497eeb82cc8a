"""What the files of one sample in a tar shard say about it."""

import json
from typing import IO, Any

from uml_pipeline.errors import UserError
from uml_pipeline.samples import audio, images
from uml_pipeline.samples._cells import named
from uml_pipeline.samples._tar import Group, Part, read_part
from uml_pipeline.samples.container import Entry
from uml_pipeline.silo.config import SiloConfig

SUFFIXES = {
    "image": images.SUFFIXES,
    "audio": audio.SUFFIXES,
    "text": frozenset({".txt"}),
    "series": frozenset({".npy"}),
    "vector": frozenset({".npy"}),
}
"""Of the files that hold a sample, by modality."""


def shard_entry(config: SiloConfig, shard: str, group: Group, file: IO[bytes], split: str | None) -> Entry:
    """The entry of a sample in an open shard, whose path is `shard` and whose samples are of that split.

    Raises:
        UserError: it is no sample of the modality, or its label or metadata are damaged.
    """
    if group.bad:
        raise _unfit(group.bad)
    notes = _notes(group, file)
    if config.modality == "text":
        entry: Entry = {"text": _text(config, group, notes, file)}
    else:
        entry = {"path": f"{shard}#{_content(config, group).name}"}
    label = notes.get(config.label or "")
    if label is None and config.label and "cls" in group.parts:
        label = _decoded(group.parts["cls"], file).strip()
    return named(entry, label=label, group=notes.get(config.group or ""), split=notes.get("split") or split)


def _content(config: SiloConfig, group: Group) -> Part:
    """The one file of the modality; of several, the one whose extension the configuration names as `file`."""
    found = _of(group, SUFFIXES[config.modality])
    if len(found) > 1 and config.file in group.parts:
        return group.parts[config.file]
    if len(found) != 1:
        raise _unfit(f"the sample has {'several files' if found else 'no file'} of its modality")
    return found[0]


def _text(config: SiloConfig, group: Group, notes: dict[str, Any], file: IO[bytes]) -> str:
    found = _of(group, SUFFIXES["text"])
    text = _decoded(found[0], file) if len(found) == 1 else notes.get(config.text)
    if not isinstance(text, str):
        raise _unfit("the sample has no text")
    if not text.strip():
        raise _unfit("empty text")
    try:
        text.encode()
    except UnicodeEncodeError:  # JSON can say halves of characters, which no manifest can hold
        raise _unfit("its text is not Unicode") from None
    return text.strip()


def _of(group: Group, suffixes: frozenset[str]) -> list[Part]:
    return [part for extension, part in group.parts.items() if f".{extension.rpartition('.')[2]}" in suffixes]


def _notes(group: Group, file: IO[bytes]) -> dict[str, Any]:
    if "json" not in group.parts:
        return {}
    try:
        notes = json.loads(read_part(file, group.parts["json"]))
    except (ValueError, RecursionError):
        raise _unfit("its json is not readable") from None
    if not isinstance(notes, dict):
        raise _unfit("its json holds no fields")
    return notes


def _decoded(part: Part, file: IO[bytes]) -> str:
    try:
        return read_part(file, part).decode()
    except UnicodeDecodeError:
        raise _unfit("its text is not UTF-8") from None


def _unfit(what: str) -> UserError:
    return UserError(what, where="inside its shard", fix="write the shard again, or leave the sample out")
