"""The one error a user may see: what is wrong, where, and what to do about it."""

import errno
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

_MACHINE = {
    errno.ENOSPC: ("the disk is full", "make room"),
    errno.EDQUOT: ("your share of the disk is used up", "make room"),
    errno.EFBIG: ("a file may not grow that large", "raise the limit on the size of files (`ulimit -f`)"),
    errno.EROFS: ("the file system is read-only", "run it where you may write"),
    errno.EACCES: ("access is denied", "check who owns the folder and who may write to it"),
    errno.EPERM: ("access is denied", "check who owns the folder and who may write to it"),
    errno.EMFILE: ("too many files are open", "raise the limit on open files (`ulimit -n`)"),
    errno.ENOMEM: ("the memory is full", "close other programs, or use a larger machine"),
}
_RUST = re.compile(r"\(os error (\d+)\)")  # so libraries written in Rust end what the system told them
_SQLITE = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")


class UserError(Exception):
    """Something the user can mend: bad data, a typo, a missing file.

    The front doors print it without a stack trace and exit with code 2.
    Every other exception is a bug and is shown as one.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            lines.append(f"  to do: {self.fix}")
        return "\n".join(lines)


@contextmanager
def concerning(whom: str) -> Iterator[None]:
    """What the user is told from inside the block says whom it concerns: whoever finds it there does not know."""
    try:
        yield
    except UserError as error:
        where = f"{whom}: {error.where}" if error.where else whom
        raise UserError(error.what, where=where, fix=error.fix) from None


def explained(error: BaseException | None) -> UserError | None:
    """What a user is told where the machine is at fault, whoever noticed it in whatever words; None of other errors."""
    if isinstance(error, UserError):
        return error
    while error is not None:
        if known := _fault(error):
            what, fix = known
            return UserError(what, where=str(error), fix=f"{fix}, and run again: nothing that is done is lost")
        error = error.__cause__ or error.__context__
    return None


def _fault(error: BaseException) -> tuple[str, str] | None:
    """What is wrong with the machine, and the remedy."""
    if isinstance(error, sqlite3.OperationalError) and getattr(error, "sqlite_errorname", "").startswith(_SQLITE):
        return "a database cannot be written", "make room, and check who may write there"
    if isinstance(error, MemoryError):
        return _MACHINE[errno.ENOMEM]
    if isinstance(error, OSError):
        return _MACHINE.get(error.errno or 0)
    told = _RUST.search(str(error))
    return _MACHINE.get(int(told[1])) if told else None
