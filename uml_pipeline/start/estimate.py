"""How long a step will take, and how much memory: tried on a few samples, or scaled from the demo's."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uml_pipeline.errors import UserError, concerning
from uml_pipeline.samples import Opener, Sample
from uml_pipeline.silo.config import Modality
from uml_pipeline.start.look import Look
from uml_pipeline.study import Study
from uml_pipeline.workers import each as each_of

if TYPE_CHECKING:
    from uml_pipeline.features.encoders import Encoder

_AT_FIRST = 8  # samples
_PATIENCE = 5.0  # seconds
_BASE = 1.0e9  # bytes: Python with torch and pandas, and what a training needs at least
_COPIES = 3  # of all features, while the trunk learns
_RELEVANCE = 2.0e-5  # seconds for each silo, class and feature: the demo's (331 classes, 384 features) on two cores
_EPISODE = 1.0  # seconds for each episode, however small: a study of 10 classes, on two cores
_TRUNK = 2.1e-5  # further seconds for each episode, class and feature: the demo's
STAGE = 3.0
"""Seconds until a stage has imported what it needs."""


@dataclass(frozen=True)
class Trial:
    """What a few samples of a silo took, for all of them."""

    reading: float
    """Seconds."""
    encoding: float
    """Seconds."""
    dim: int
    """Width of the features."""
    bad: Counter[str]
    """What is wrong with some of those tried, and with how many."""


def try_out(study: Study, name: str, seen: Look) -> Trial:
    """Open, measure and encode a few samples. An encoder from a hub is fetched now.

    Raises:
        UserError: the encoder cannot be had, or no sample of those tried is any good.
    """
    config, count, tried = study.silo(name), len(seen.labels), len(seen.some)
    with concerning(f"silo {name!r}"):
        if not tried:
            raise UserError("no sample is there", fix="put samples there, or correct `path`")
        began = time.perf_counter()
        samples, bad = _sound(Opener(config, study.folder), config.modality, seen.some)
        each = (time.perf_counter() - began) / tried
        if not samples:
            fix = "replace such samples"
            raise UserError(f"none of {tried} samples that were tried is any good", where=", ".join(bad), fix=fix)
        per_vector, dim = _encoded(study, name, samples)
    return Trial(STAGE + each * count, STAGE + per_vector * count, dim, bad)


def _sound(opener: Opener, modality: Modality, names: Sequence[str]) -> tuple[list[Sample], Counter[str]]:
    """The samples that are some good; of the others, what is wrong with how many."""
    from uml_pipeline.silo.measure import measure

    def tried(name: str) -> tuple[Sample, str | None]:
        try:
            sample = opener(name)
        except UserError as error:
            return name, error.what
        return sample, measure(sample, modality).facts.get("bad")

    found = list(each_of(tried, names))
    return [sample for sample, bad in found if not bad], Counter(bad for _, bad in found if bad)


def _encoded(study: Study, name: str, samples: list[Sample]) -> tuple[float, int]:
    """Seconds a sample, and the features' width."""
    from uml_pipeline.features import create_encoder

    config = study.silo(name)
    encoder = create_encoder(config, study.folder)
    if encoder.fits:
        encoder = create_encoder(config, study.folder, encoder.fit(samples))
    encoder.encode(samples[:1])  # the first call loads the weights
    few = samples[:_AT_FIRST]
    each = _timed(encoder, few) / len(few)
    if each * len(samples) < _PATIENCE:  # larger batches are faster, and more like what will be done
        each = _timed(encoder, samples) / len(samples)
    return each, encoder.dim * encoder.views


def _timed(encoder: "Encoder", samples: list[Sample]) -> float:
    began = time.perf_counter()
    encoder.encode(samples)
    return time.perf_counter() - began


def relevance_seconds(silos: int, classes: int, dim: int) -> float:
    """Roughly."""
    return STAGE + _RELEVANCE * silos * classes * dim


def trunk_seconds(study: Study, classes: int, dim: int) -> float | None:
    """Roughly, in mode probe; None in the others, whose bar says it after the first steps."""
    config = study.params.trunk
    each = _EPISODE + _TRUNK * classes * dim
    return STAGE + config.seeds * len(config.shots) * each if config.mode == "probe" else None


def memory(samples_by_dim: Sequence[tuple[int, int]]) -> float:
    """Bytes, roughly: of all silos' samples and widths."""
    return _BASE + _COPIES * 4.0 * sum(samples * dim for samples, dim in samples_by_dim)
