"""Is anything learnt at all? How many directions a representation uses, and what needs no learning."""

from collections.abc import Sequence

import torch
from torch import Tensor

from uml_pipeline.learn.sequence.losses import Terms
from uml_pipeline.learn.sequence.network import Modality
from uml_pipeline.learn.sequence.ragged import Ragged
from uml_pipeline.learn.sequence.reader import Tokens


def effective_rank(z: Tensor) -> float:
    """Of representations [sample, width]: exp of the entropy of the normalised singular values around their mean (Roy
    and Vetterli, 2007). 1: all samples lie on a line; 0: on a point, the representation has collapsed.
    """
    values = torch.linalg.svdvals((z - z.mean(0)).double())
    total = float(values.sum())
    if total < 1e-9:
        return 0.0
    shares = values[values > 0] / total
    return float(torch.exp(-(shares * shares.log()).sum()))


def without_learning(modality: Modality, sequences: Sequence[Tensor]) -> dict[str, float]:
    """Loss on these sequences of who says that the next step is the last one again (`copy`), or the mean of the
    training steps (`mean`). A network that is not better than both has learnt nothing that matters.

    Sequences of one step have no next one; nothing is said where all are so short, nor of tokens.
    """
    longer = [one for one in sequences if len(one) > 1]
    if not longer or isinstance(modality.entrance, Tokens):
        return {}
    batch = Ragged.of([longer])
    terms, truth = Terms.of(batch), modality.entrance.truth(batch.values)
    there = terms.next(truth)
    guesses = {"copy": truth, "mean": torch.zeros_like(there)}
    losses = {name: terms.mean(modality.term(guess, there, terms.asked)) for name, guess in guesses.items()}
    return {name: float(one.mean()) for name, one in losses.items()}
