"""The one error a user may see: what is wrong, where, and what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager


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
