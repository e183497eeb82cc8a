"""A silo's folder, here or on a remote file system: what lies in it, and never what lies outside."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

from uml_pipeline.errors import UserError

OUTSIDE, NO_FILE = "leads out of the silo's folder", "not a file"
_HERE = ("", "file", "local")  # protocols of this machine's own files
_ERRORS = {True: OSError, False: Exception}  # each remote file system has errors of its own
_Kind = Literal["file", "folder", "other"]


class Node(NamedTuple):
    """Something in a folder."""

    name: str
    """Its posix path below the tree's root."""
    kind: _Kind
    link: bool = False
    """It is a symbolic link, to what `kind` says."""

    @property
    def is_folder(self) -> bool:
        """Whether one may go into it: what is behind a link may lie anywhere."""
        return self.kind == "folder" and not self.link


class Tree:
    """The files below one folder, by their posix path there; for the manifest, by their place in the study."""

    def __init__(self, root: Path, path: str) -> None:
        """`path` is what the configuration calls `root`, which may be a UPath."""
        protocol = getattr(root, "protocol", "")  # only a UPath has one
        self._remote: Any = None if protocol in _HERE else root
        self._root = os.path.realpath(getattr(root, "path", root)) if self._remote is None else ""
        self._prefix = _prefix(path)

    @property
    def local(self) -> bool:
        """Whether the files are this machine's own."""
        return self._remote is None

    def place(self, name: str) -> str:
        """The manifest's path of a file."""
        return self._prefix + name

    def name(self, place: str) -> str:
        """The file with this path in the manifest.

        Raises:
            UserError: it belongs to another folder.
        """
        if not place.startswith(self._prefix):
            fix = "run `uml silo` again: the silo's `path` has changed"
            raise UserError("not in the silo's folder", where=place, fix=fix)
        return place.removeprefix(self._prefix)

    def listing(self, name: str = "") -> list[Node]:
        """What a folder holds, in the order of whole paths; but nothing hidden.

        Raises:
            UserError: it cannot be read.
        """
        try:
            found = list(self._scan(name) if self.local else self._ask(name))
        except _ERRORS[self.local] as error:
            fix = "check its permissions"
            raise UserError("the folder cannot be read", where=f"{self.place(name)}: {error}", fix=fix) from None
        above = f"{name}/" if name else ""
        nodes = [Node(above + leaf, kind, link) for leaf, kind, link in found if not leaf.startswith(".")]
        return sorted(nodes, key=lambda node: node.name + "/" * node.is_folder)

    def wrong(self, name: str) -> str | None:
        """Why a file here cannot be opened, in words that are counted; None: it can."""
        if "\0" in name:  # before normpath, which may stop there
            return NO_FILE
        if leads_out(name):
            return OUTSIDE
        if not self.local:
            return None  # asking would cost as much as opening
        real = os.path.realpath(f"{self._root}/{name}")
        if os.path.commonpath([real, self._root]) != self._root:
            return OUTSIDE
        return None if os.path.isfile(real) else NO_FILE  # noqa: PTH113 - others raise for long names

    def fetch(self, name: str) -> Path | bytes:
        """A local file, or the content of a remote one.

        Raises:
            UserError: it leads out of the folder, or is no file, or cannot be read.
        """
        if wrong := self.wrong(name):
            raise _unreadable(wrong, self.place(name))
        if self.local:
            return Path(self._root, name)
        try:
            content: bytes = self._remote.fs.cat_file(f"{self._remote.path.rstrip('/')}/{name}")
        except (FileNotFoundError, IsADirectoryError):
            raise _unreadable(NO_FILE, self.place(name)) from None
        except _ERRORS[self.local] as error:
            raise _unreadable("the file cannot be read", f"{self.place(name)}: {error}") from None
        return content

    def _scan(self, name: str) -> Iterator[tuple[str, _Kind, bool]]:
        with os.scandir(f"{self._root}/{name}") as found:
            for one in found:
                link = one.is_symlink()
                folder = os.path.isdir(one.path) if link else one.is_dir()  # noqa: PTH112 - others raise for a loop
                yield one.name, "folder" if folder else "file" if link or one.is_file() else "other", link

    def _ask(self, name: str) -> Iterator[tuple[str, _Kind, bool]]:
        folder = f"{self._remote.path.rstrip('/')}/{name}".rstrip("/")
        kinds: dict[str, _Kind] = {"directory": "folder", "file": "file"}
        for one in self._remote.fs.ls(folder, detail=True):
            if one["name"].strip("/") != folder.strip("/"):  # object stores have a mark for an empty folder
                yield one["name"].rstrip("/").rpartition("/")[2], kinds.get(one["type"], "other"), False


def leads_out(name: str) -> bool:
    """Whether a relative posix path leaves the folder, whatever lies there."""
    clean = os.path.normpath(name)
    return clean.startswith("/") or clean == ".." or clean.startswith("../")


def _prefix(path: str) -> str:
    """What stands before a file's name in the manifest."""
    clean = path if "://" in path else PurePosixPath(path).as_posix()  # which would take a slash from a URL
    return "" if clean == "." else clean if clean.endswith("/") else f"{clean}/"


def _unreadable(what: str, where: str) -> UserError:
    return UserError(what, where=where, fix="correct the name, or put the file there")
