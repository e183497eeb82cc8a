"""The one error a user may see."""

import pytest

from uml_pipeline.errors import UserError, concerning


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
