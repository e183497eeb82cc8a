"""Silos of WebDataset shards: tar files in which the files of a sample share their name up to the first dot."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.samples._cells import numbers
from uml_pipeline.samples._npz import read_npy
from uml_pipeline.samples._shard_entries import SUFFIXES, shard_entry
from uml_pipeline.samples._tar import Index, read_index, read_part
from uml_pipeline.samples.container import SPLIT_NAMES, Container, Entry
from uml_pipeline.samples.tree import Tree
from uml_pipeline.silo.config import SiloConfig

_COMPRESSED = re.compile(r"\.(tar\.(gz|bz2|xz|zst|lz4)|tgz|tbz2?|txz)$", re.I)


class ShardsContainer(Container):
    """One tar file, or all in a folder. A sample's label is in its `.cls` or, like group and split, in its `.json`.

    Without a split there, the shard's folder or the beginning of its name may be one: `val/0.tar`, `train-0000.tar`.
    """

    def __init__(self, config: SiloConfig, source: Path) -> None:
        """Raises:
        UserError: no tar file, or only compressed ones.
        """
        super().__init__(config, source)
        if config.modality not in SUFFIXES:
            fix = f"correct `modality` in params.yaml: one of {', '.join(SUFFIXES)}"
            raise UserError("tar shards hold no tables", where=str(source), fix=fix)
        self._tree = Tree(source, config.path) if source.is_dir() else None
        self._indices = {name: self._index(name) for name in (_names(self._tree) if self._tree else [""])}
        if not self._indices:
            raise UserError("no shard in the folder", where=str(source), fix="put .tar files there, or correct `path`")
        self._parts = {
            f"{self._place(name)}#{part.name}": (name, part)
            for name, index in self._indices.items()
            for group in index.groups.values()
            for part in group.parts.values()
        }

    def entries(self) -> Iterator[Entry]:
        """All samples, shard by shard by their names; after those of a damaged shard, the shard itself."""
        known: set[str] = set()
        for name, index in self._indices.items():
            for entry in self._samples(name, index):
                known |= set() if "bad" in entry else entry.keys()
                yield entry
            if index.bad:
                yield self._bad(self._place(name), index.bad)
        for role in ("label", "group"):
            field = getattr(self.config, role)
            if known and field and role not in known:
                fix = f"write it into .json files as {field!r} (a label: or into .cls files), or write `{role}: null`"
                raise UserError(f"no sample has a {role}", where=str(self.source), fix=fix)

    def read(self, path: str) -> bytes | np.ndarray:
        """The file's bytes (image, audio), or the array in it, float32 (series, vector)."""
        if path not in self._parts:
            raise UserError("the file is not in the shard", where=path, fix="run the stage `silo` again")
        name, part = self._parts[path]
        with self._opened(name) as file:  # each time anew: threads do not share a position
            content = read_part(file, part)
        if self.config.modality in ("image", "audio"):
            return content
        return numbers(read_npy(content, path), self.config.modality)

    def _index(self, name: str) -> Index:
        """Of a shard by its path in the folder, or "" if the silo is one shard."""
        if not self._tree:
            if _COMPRESSED.search(self.source.name):
                raise _packed(str(self.source))
            return read_index(self.source)
        if wrong := self._tree.wrong(name):
            return Index({}, wrong)
        try:
            name.encode()
            return read_index(self._shard(name))
        except UnicodeEncodeError:
            return Index({}, "its name is not UTF-8")
        except UserError as error:
            return Index({}, error.what)

    @contextmanager
    def _opened(self, name: str) -> Iterator[IO[bytes]]:
        try:
            with self._shard(name).open("rb") as file:
                yield file
        except OSError as error:
            fix = "put the shard back, or run the stage `silo` again"
            raise UserError("the shard cannot be read", where=f"{self._place(name)}: {error}", fix=fix) from None

    def _shard(self, name: str) -> Path:
        return self.source / name if name else self.source

    def _place(self, name: str) -> str:
        return self._tree.place(name) if self._tree else self.config.path

    def _samples(self, name: str, index: Index) -> Iterator[Entry]:
        if not index.groups:
            return
        place, split = self._place(name), _split_of(name or self.source.name)
        with self._opened(name) as file:
            for key, group in index.groups.items():
                try:
                    yield shard_entry(self.config, place, group, file, split)
                except UserError as error:
                    yield self._bad(f"{place}#{key}", error.what)

    def _bad(self, place: str, why: str) -> Entry:
        place = place.encode(errors="replace").decode()
        return {"text" if self.config.modality == "text" else "path": place, "bad": why}


def _names(tree: Tree, folder: str = "") -> Iterator[str]:
    """The shards below a folder.

    Raises:
        UserError: one of them is compressed.
    """
    for node in tree.listing(folder):
        if node.is_folder:
            yield from _names(tree, node.name)
        elif _COMPRESSED.search(node.name):
            raise _packed(tree.place(node.name))
        elif node.name.lower().endswith(".tar"):
            yield node.name


def _packed(where: str) -> UserError:
    fix = "uncompress them: only then can a sample be read without all those before it"
    return UserError("compressed shards are not read", where=where, fix=fix)


def _split_of(name: str) -> str | None:
    """The official split that a shard's path says: a folder, or else the beginning of its name."""
    *folders, file = name.lower().split("/")
    beginning = re.match("[a-z]*", file)
    words = [*reversed(folders), beginning[0] if beginning else ""]
    return next((word for word in words if word in SPLIT_NAMES), None)
