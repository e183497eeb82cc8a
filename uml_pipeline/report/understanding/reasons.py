"""What cannot be said of a study is told in its place, with the reason: no analysis ever stops a report."""

from collections.abc import Callable
from typing import Any

from uml_pipeline.errors import UserError


class CannotSay(Exception):
    """An analysis has nothing to go on; the message is the reason, as the end of "cannot be said: …"."""


def told(analysis: Callable[[], Any]) -> Any:
    """What the analysis gives, or {"cannot_say": reason}."""
    try:
        return analysis()
    except CannotSay as silence:
        return {"cannot_say": str(silence)}
    except UserError as error:
        return {"cannot_say": error.what}
