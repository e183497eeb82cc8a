"""The index of a tar shard: where in it each file of each sample lies. Nothing is ever unpacked."""

import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from uml_pipeline.errors import UserError

# What tarfile raises for odd headers, beside its own errors.
_DAMAGE = (tarfile.TarError, ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)
_END = bytes(tarfile.BLOCKSIZE)  # where the next header would be
_FIX = "write the shard again; a compressed one has to be uncompressed"


@dataclass(frozen=True)
class Part:
    """One file in a shard."""

    name: str
    offset: int
    size: int


@dataclass
class Group:
    """The files of one sample by their extensions, and what is wrong with them."""

    parts: dict[str, Part] = field(default_factory=dict)
    bad: str | None = None


@dataclass(frozen=True)
class Index:
    """The samples of a shard by their keys, in the order of the shard; and what is wrong with the shard."""

    groups: dict[str, Group]
    bad: str | None


def read_index(shard: Path) -> Index:
    """Walk the headers. Of a damaged shard, the samples before the damage but for the last: who knows what it lacks.

    Raises:
        UserError: it cannot be read, or is no tar file at all.
    """
    try:
        with shard.open("rb") as file:
            return _index(file, file.seek(0, 2))
    except OSError as error:
        raise UserError("the shard cannot be read", where=f"{shard}: {error}", fix="check its permissions") from None
    except _DAMAGE as error:
        raise UserError("not a tar file", where=f"{shard}: {error}", fix=_FIX) from None


def read_part(file: IO[bytes], part: Part) -> bytes:
    """The content of one file in an open shard.

    Raises:
        UserError: the shard is shorter than it was.
    """
    file.seek(part.offset)
    content = file.read(part.size)
    if len(content) < part.size:
        raise UserError("the shard is truncated", where=part.name, fix=_FIX)
    return content


def _index(file: IO[bytes], size: int) -> Index:
    file.seek(0)
    groups: dict[str, Group] = {}
    last = ""
    # Names that are not UTF-8 get escapes: a manifest can hold those.
    with tarfile.open(fileobj=file, mode="r:", encoding="utf-8", errors="backslashreplace") as tar:
        try:
            for member in tar:
                last = _add(groups, member) or last
                if member.size < 0 or (member.isreg() and member.offset_data + member.size > size):
                    raise tarfile.ReadError("unexpected end of data")
            file.seek(tar.offset)
            whole = file.read(len(_END)) == _END  # tarfile ends just as well at a header that it cannot read
        except _DAMAGE:
            whole = False
        if whole:
            return Index(groups, None)
        groups.pop(last, None)
        return Index(groups, f"the shard is {'damaged' if tar.offset + len(_END) <= size else 'truncated'}")


def _add(groups: dict[str, Group], member: tarfile.TarInfo) -> str | None:
    """Note a file under its key: WebDataset's, the name up to the first dot after the last slash. None: no sample's."""
    regular = member.isreg() and not member.issparse()
    folder, slash, name = member.name.rpartition("/")
    stem, dot, extension = name.partition(".")
    if member.isdir() or (regular and not (stem and dot)):
        return None
    key = folder + slash + stem if stem else member.name
    group = groups.setdefault(key, Group())
    if not regular:
        group.bad = "not a regular file in the shard"
    elif extension.lower() in group.parts:
        group.bad = "the shard has the sample twice"
    else:
        group.parts[extension.lower()] = Part(member.name, member.offset_data, member.size)
    return key
