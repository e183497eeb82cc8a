"""Whether a new model takes the champion's place, and the way back."""

from typing import TYPE_CHECKING

from uml_pipeline.registry.records import Decision

if TYPE_CHECKING:
    from uml_pipeline.study import Study


def promote(study: "Study", *, force: bool = False) -> Decision:
    """Judge artifacts/model against the champion, write the decision down, and release the model if it may be.

    `force`: release it whatever the judgement says.

    Raises:
        UserError: the model is not there, or older than what it was made from.
    """
    raise NotImplementedError


def rollback(study: "Study", number: int | None = None) -> Decision:
    """Make an earlier release the champion again: by default the one before.

    Raises:
        UserError: no such release, or none before.
    """
    raise NotImplementedError
