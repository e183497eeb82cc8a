"""Images or sounds in folders: one folder a class, and above them one folder a split if there are such."""

import heapq
from collections.abc import Iterator
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from pathlib import Path, PurePosixPath

from uml_pipeline.errors import UserError
from uml_pipeline.samples import audio, images
from uml_pipeline.samples.container import SPLIT_NAMES, Container, Entry, Sample
from uml_pipeline.samples.notes import read_notes
from uml_pipeline.samples.tree import NO_FILE, OUTSIDE, Node, Tree, leads_out
from uml_pipeline.silo.config import SiloConfig

SUFFIXES = {"image": images.SUFFIXES, "audio": audio.SUFFIXES}


class FolderContainer(Container):
    """All files below a folder. The class is the label in the metadata, or else the name of the topmost folder."""

    def __init__(self, config: SiloConfig, source: Path) -> None:
        """See Container.

        Raises:
            UserError: not a folder, or a modality that has no files.
        """
        super().__init__(config, source)
        if config.modality not in SUFFIXES:
            fix = "give a table (.csv, .tsv, .parquet or .jsonl), or name its `format`"
            raise UserError(f"unsupported file type for a {config.modality} silo", where=str(source), fix=fix)
        if not source.is_dir():
            what = f"an {config.modality} silo must be a folder, with one folder a class"
            raise UserError(what, where=str(source), fix="correct `path` or `format` in params.yaml")
        self._tree = Tree(source, config.path)

    def entries(self) -> Iterator[Entry]:
        """See Container. Files that only the metadata knows are listed too.

        Raises:
            UserError: the folder or its metadata cannot be read, or a column is missing.
        """
        walked = ((node.name, self._bad(node)) for node in self._walk())
        noted = ((name, OUTSIDE if leads_out(name) else None) for name in sorted(self._notes))
        both = heapq.merge(walked, noted, key=itemgetter(0))
        for name, found in groupby(both, key=itemgetter(0)):
            _, bad = next(found)  # of the file itself, if there is one
            yield self._entry(name, bad)

    def read(self, path: str) -> Sample:
        """See Container: a local file, or the content of a remote one."""
        return self._tree.fetch(self._tree.name(path))

    def classes(self) -> set[str]:
        """See Container: also folders without a file; none if the metadata has the labels."""
        if not self.config.label or any("label" in note for note in self._notes.values()):
            return set()
        nodes = [node for head in self._heads for node in self._tree.listing(head)]
        return {PurePosixPath(node.name).name for node in nodes if node.is_folder and _is_text(node.name)}

    def _entry(self, name: str, bad: str | None) -> Entry:
        place = self._tree.place(name)
        if not _is_text(name):
            return {"path": place.encode(errors="replace").decode(), "bad": "its name is not UTF-8"}
        entry = {"path": place} | self._by_place(name) | self._notes.get(name, {})
        return entry | {"bad": bad} if bad else entry

    @cached_property
    def _heads(self) -> list[str]:
        """The folders that hold the classes' folders: the silo's own, or one a split."""
        tops = [node.name for node in self._tree.listing() if node.is_folder and self._tree.listing(node.name)]
        return tops if tops and all(name.lower() in SPLIT_NAMES for name in tops) else [""]

    @cached_property
    def _notes(self) -> dict[str, Entry]:
        return read_notes(self.config, self.source, dict.fromkeys(["", *self._heads]))  # Hugging Face's: one a split

    def _walk(self) -> Iterator[Node]:
        """All but folders, in the order of their paths; folders behind links are never entered."""
        waiting = self._tree.listing()[::-1]
        while waiting:
            node = waiting.pop()
            if node.is_folder:
                waiting += self._tree.listing(node.name)[::-1]
            elif not self._is_aside(node):
                yield node

    def _is_aside(self, node: Node) -> bool:
        """Whether it stands beside the classes' folders and is no sample: a README, or the metadata."""
        above = node.name.rpartition("/")[0]
        return above in ("", *self._heads) and node.kind == "file" and not self._is_medium(node)

    def _is_medium(self, node: Node) -> bool:
        return PurePosixPath(node.name).suffix.lower() in SUFFIXES[self.config.modality]

    def _bad(self, node: Node) -> str | None:
        if node.link and (wrong := self._tree.wrong(node.name)):
            return wrong
        if node.kind != "file":
            return NO_FILE
        return None if self._is_medium(node) else "unsupported file type"

    def _by_place(self, name: str) -> Entry:
        """Class and official split by the folders that a file is in."""
        head = next((head for head in self._heads if name.startswith(f"{head}/")), "")
        label, slash, _ = name.removeprefix(f"{head}/").partition("/")
        entry: Entry = {"label": label} if slash and self.config.label else {}
        return entry | {"split": head} if head else entry


def _is_text(name: str) -> bool:
    """Whether it can be written to a manifest: names of files are any bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
