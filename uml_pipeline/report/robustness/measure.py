"""Both models on spoilt test samples, by kind and strength."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from uml_pipeline.features.samples import Samples
from uml_pipeline.learn.geometry import Array
from uml_pipeline.progress import progress
from uml_pipeline.report.robustness.damage import Damage, Spoilt, damages
from uml_pipeline.report.understanding.paired import of_means
from uml_pipeline.report.understanding.reasons import CannotSay
from uml_pipeline.samples import Sample
from uml_pipeline.study import Study

if TYPE_CHECKING:
    from uml_pipeline.report.understanding.contenders import Contest


def robustness(study: Study, contest: "Contest") -> dict[str, Any]:
    """Accuracy (percent) of both on clean and on spoilt samples, and their paired difference with its 95 % interval.

    Of the test samples at most `report.robustness` are spoilt, chosen by seed; `samples` says how many. Each has the
    same damage for both models, and at all strengths the same draw.

    Raises:
        CannotSay: it was not asked for.
        UserError: a sample cannot be read.
    """
    most = study.params.report.robustness
    if most == 0:
        raise CannotSay("`report.robustness` is 0")
    places = np.arange(len(contest.y))
    if len(places) > most:
        places = np.sort(np.random.default_rng(0).choice(places, most, replace=False))
    rows = contest.rows.iloc[places]
    samples = Samples.of(study, study.target, rows)
    opened, y = samples[:], contest.y[places]
    found = damages(study.silo(study.target).modality, opened)
    with progress("spoilt samples", 1 + 3 * len(found)) as advance:
        clean = _compared(contest, opened, y)
        advance(1)
        table = []
        for damage, level, spoilt in _all(found, opened, samples.ids):
            told = {"kind": damage.kind, "strength": damage.strengths[level], "unit": damage.unit}
            table.append(told | _compared(contest, spoilt, y))
            advance(1)
    return {"samples": len(y), "of": len(contest.y), "clean": clean, "rows": table}


def _all(
    found: list[Damage], samples: Sequence[Sample], ids: Sequence[str]
) -> Iterator[tuple[Damage, int, Sequence[Sample]]]:
    for damage in found:
        for level in range(len(damage.strengths)):
            yield damage, level, Spoilt(samples, ids, damage, level)


def _compared(contest: "Contest", samples: Sequence[Sample], y: NDArray[np.int64]) -> dict[str, Any]:
    """What both recognise: encoded once where they share a frozen encoder."""
    shared: Array | None = contest.ours.model.features(samples) if contest.frozen else None
    right = {}
    for part, one in contest.both.items():
        logits = one.model.logits(one.model.features(samples) if shared is None else shared)
        right[part] = logits.argmax(1) == y
    difference = of_means(right["ours"], right["baseline"], y)
    return {part: 100 * float(hit.mean()) for part, hit in right.items()} | {"difference": asdict(difference)}
