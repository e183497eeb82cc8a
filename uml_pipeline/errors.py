"""The one error a user may see: what is wrong, where, and what to do about it."""


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
