"""Recognise many samples, a few at a time: one that cannot be read is an outcome, not the end."""

from collections.abc import Iterator, Sequence

from uml_pipeline.errors import UserError
from uml_pipeline.extras import MissingPackage
from uml_pipeline.features.samples import Lazy
from uml_pipeline.learn.geometry import Array
from uml_pipeline.model.listing import Named
from uml_pipeline.model.unimodal import UnimodalModel
from uml_pipeline.samples import Sample
from uml_pipeline.workers import chunks

Outcome = Array | UserError
"""Probabilities [class], or why there are none."""
AT_ONCE = 128  # samples of a step


class Opened(Lazy):
    """Named samples, opened when they are asked for."""

    def __init__(self, named: Sequence[Named]) -> None:
        self._named = named

    def __len__(self) -> int:
        return len(self._named)

    def one(self, at: int) -> Sample:
        """See Lazy."""
        return self._named[at].open()


def outcomes(model: UnimodalModel, named: Sequence[Named]) -> Iterator[list[tuple[str, Outcome]]]:
    """Names and outcomes of all samples in their order, some at a time.

    Raises:
        UserError: the model's encoder cannot be loaded.
    """
    for some in chunks(named, AT_ONCE):
        yield list(zip((one.name for one in some), _of(model, some), strict=True))


def _of(model: UnimodalModel, named: Sequence[Named]) -> list[Outcome]:
    """Whoever fails is found by halves: an encoder that prepares many samples at once does not say which it was."""
    _ = model.encoder.net  # what is wrong with the model is no sample's fault
    try:
        return list(model.predict_proba(Opened(named)))
    except MissingPackage:
        raise
    except UserError as error:
        if len(named) == 1:
            return [error]
        middle = len(named) // 2
        return _of(model, named[:middle]) + _of(model, named[middle:])
