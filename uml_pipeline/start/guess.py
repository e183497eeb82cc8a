"""What lies at a path, most likely: modality, columns, labels. A guess, which the user reads in params.yaml."""

import difflib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from uml_pipeline.errors import UserError
from uml_pipeline.samples.array_files import ARRAY_SUFFIXES
from uml_pipeline.samples.folder import SUFFIXES
from uml_pipeline.samples.opening import TABLES, detect, locate, table_in

LABELS = ("label", "class", "category", "target", "species", "genre", "y", "name")
TEXTS = ("text", "caption", "description", "sentence", "content", "body", "notes", "note")
FILES = ("path", "file", "file_name", "filename", "image", "audio")
_LOOKED_AT = 1000  # files, or rows
_WORDY = 3  # words that a column of texts has a cell, on average
_HAND = "write it into params.yaml by hand: docs/own-data.md has every format"
Keys = dict[str, Any]


def guess(path: str, study: Path) -> Keys:
    """Keys of `silos.<name>` for what lies at `path` (relative to the study, or a URL), where the defaults do not fit.

    Raises:
        UserError: nothing lies there, or nothing that is recognised.
    """
    source = locate(path, study)
    if not source.exists():
        near = difflib.get_close_matches(source.name, [one.name for one in _beside(source)], n=1)
        fix = f"did you mean {near[0]!r}?" if near else "correct the path, or put the data there"
        raise UserError("there is nothing", where=str(source), fix=fix)
    if table := table_in(source):
        files = _files_in(table)
        return _listed(path, files, table) if files else _table(path, table)
    kind = detect(source)
    if kind in TABLES:
        return _table(path, source)
    readers = {"datasets": _dataset, "webdataset": _shards, "npz": _arrays, "folder": _folder}
    if kind not in readers:
        raise UserError("what this file holds cannot be guessed", where=str(source), fix=_HAND)
    return {"path": path} | readers[kind](source)


def _beside(source: Path) -> Iterable[Path]:
    return source.parent.iterdir() if source.parent.is_dir() else ()


def name_of(path: str) -> str:
    """A silo's name after what it lies in: `data/My photos` gives `my_photos`, `Müller` `muller`."""
    stem = PurePosixPath(path.rstrip("/")).name.partition(".")[0]
    stem = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode() or stem
    name = re.sub(r"\W+", "_", stem, flags=re.ASCII).strip("_").lower()
    return name if name and not name[0].isdigit() else f"silo_{name}".rstrip("_")


def _listed(path: str, files: list[str], table: Path) -> Keys:
    """Files that a table names, or rows of files of arrays (`features.npz#3`)."""
    arrays = PurePosixPath(files[0].partition("#")[0]).suffix.lower() in ARRAY_SUFFIXES
    modality = "series" if arrays else _by_suffix(files, table)
    return {"modality": modality, "path": path} | _columns(table, listing=True)


def _folder(source: Path) -> Keys:
    names = [one.name for one in islice((one for one in source.rglob("*") if one.is_file()), _LOOKED_AT)]
    keys: Keys = {"modality": _by_suffix(names, source)}
    inside = any(one.is_dir() for one in source.iterdir())
    return keys if inside or (source / "metadata.csv").exists() else keys | {"label": None}


def _by_suffix(names: list[str], where: Path) -> str:
    """The modality that most of some files are of."""
    counts = Counter(
        modality
        for name in names
        for modality, suffixes in SUFFIXES.items()
        if PurePosixPath(name).suffix.lower() in suffixes
    )
    if not counts:
        raise UserError("neither pictures nor sounds are there", where=str(where), fix=_HAND)
    return counts.most_common(1)[0][0]


def _table(path: str, file: Path) -> Keys:
    """Of texts or of cells: by whether some column holds sentences."""
    keys, head = _columns(file), _head(file)
    text = _text_column(head, keys.get("label", "label"))
    if text is None:
        return {"modality": "table", "path": path} | keys
    return {"modality": "text", "path": path} | ({} if text == "text" else {"text": text}) | keys


def _columns(file: Path, *, listing: bool = False) -> Keys:
    """Which column has the label and, in a listing of files, which the file; nothing where that is the default."""
    names = list(_head(file))
    found: Keys = {"label": _known(LABELS, names)}
    if listing:
        found["file"] = _known(FILES, names)
    return {key: name for key, name in found.items() if name != {"label": "label", "file": "path"}[key]}


def _text_column(head: Any, label: str | None) -> str | None:
    names = [name for name in head if name != label]
    if known := _known(TEXTS, names):
        return known
    words = {name: head[name].dropna().astype(str).str.split().str.len().mean() for name in names}
    wordy = {name: count for name, count in words.items() if count >= _WORDY}
    return max(wordy, key=lambda name: wordy[name], default=None)


def _known(words: tuple[str, ...], names: list[str]) -> str | None:
    """The first of some usual names that is among the columns, whatever its capitals."""
    lower = {name.lower(): name for name in names}
    return next((lower[word] for word in words if word in lower), None)


def _files_in(table: Path) -> list[str]:
    head = _head(table)
    column = _known(FILES, list(head))
    return head[column].dropna().astype(str).tolist() if column else []


def _head(file: Path) -> Any:
    from uml_pipeline.samples.table_files import read_table

    return read_table(file, detect(file), [], cells=True).frame.head(_LOOKED_AT)


def _dataset(source: Path) -> Keys:
    info = next(iter(sorted(source.rglob("dataset_info.json"))))
    features = json.loads(info.read_text(encoding="utf-8")).get("features") or {}
    kinds = {name: str(one.get("_type")) for name, one in features.items() if isinstance(one, dict)}
    label = next((name for name, kind in kinds.items() if kind == "ClassLabel"), _known(LABELS, list(kinds)))
    about: Keys = {} if label == "label" else {"label": label}
    for modality in ("image", "audio"):
        if column := next((name for name, kind in kinds.items() if kind.lower() == modality), None):
            return {"modality": modality, "file": column} | about
    text = _known(TEXTS, list(kinds))
    return (
        {"modality": "text"} | ({} if text == "text" else {"text": text}) if text else {"modality": "table"}
    ) | about


def _shards(source: Path) -> Keys:
    import tarfile

    first = min(one for one in ([source] if source.is_file() else source.rglob("*.tar")))
    with first.open("rb") as file, tarfile.open(fileobj=file, mode="r|") as tar:
        names = [member.name for member in islice(tar, 64)]
    return {"modality": _by_suffix(names, first)}


def _arrays(source: Path) -> Keys:
    from uml_pipeline.samples import open_container
    from uml_pipeline.silo.config import SiloConfig

    for modality in ("vector", "series"):
        try:
            open_container(SiloConfig(modality=modality, path=str(source), encoder=""), source.parent)
        except UserError:
            continue
        return {"modality": modality}
    raise UserError("no array of vectors or of series is in it", where=str(source), fix=_HAND)
