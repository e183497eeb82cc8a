"""The one error a user may see."""

import errno
import sqlite3

import pytest

from uml_pipeline.errors import UserError, concerning, explained


def test_a_user_error_has_three_parts() -> None:
    error = UserError("the table cannot be read", where="data/texts.csv", fix="save it again as UTF-8")
    assert str(error) == "the table cannot be read\n  where: data/texts.csv\n  to do: save it again as UTF-8"
    assert (error.what, error.where, error.fix) == error_parts(error)


def error_parts(error: UserError) -> tuple[str, str, str]:
    what, where, fix = str(error).splitlines()
    return what, where.removeprefix("  where: "), fix.removeprefix("  to do: ")


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ({}, "wrong"),
        ({"where": "here"}, "wrong\n  where: here"),
        ({"fix": "mend it"}, "wrong\n  to do: mend it"),
    ],
)
def test_parts_that_are_not_known_are_left_out(parts: dict[str, str], shown: str) -> None:
    assert str(UserError("wrong", **parts)) == shown


def test_an_error_says_whom_it_concerns() -> None:
    with pytest.raises(UserError) as caught, concerning("silo 'notes'"):
        raise UserError("wrong", where="here", fix="mend it")
    assert str(caught.value) == "wrong\n  where: silo 'notes': here\n  to do: mend it"


def _of_sqlite() -> Exception:
    with pytest.raises(sqlite3.OperationalError) as caught:
        sqlite3.connect("/nowhere/at/all.db")
    return caught.value


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), "access is denied"),
        (MemoryError("Unable to allocate 3 GiB"), "the memory is full"),
        (_of_sqlite(), "a database cannot be written"),
        (Exception("Error while serializing: I/O error: No space left on device (os error 28)"), "the disk is full"),
        (UserError("wrong"), "wrong"),
    ],
)
def test_what_the_machine_lacks_is_told_plainly_whoever_noticed(error: Exception, told: str) -> None:
    found = explained(error)
    assert found is not None
    assert found.what == told
    try:
        raise RuntimeError("in a library's words") from error
    except RuntimeError as outer:
        assert (explained(outer) is None) is isinstance(error, UserError)


def test_a_bug_is_no_user_s_mistake() -> None:
    assert explained(KeyError("x")) is None
    assert explained(FileNotFoundError(errno.ENOENT, "No such file")) is None
