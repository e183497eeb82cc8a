"""How long a step will take, and how much memory: tried on a few samples, or scaled from the demo's."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uml_pipeline.errors import UserError, concerning
from uml_pipeline.samples import Opener, Sample
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
_TRUNK = 2.9e-5  # seconds for each episode, class and feature: likewise
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


def try_out(study: Study, name: str, seen: Look) -> Trial:
    """Open, measure and encode a few samples. An encoder from a hub is fetched now.

    Raises:
        UserError: the encoder cannot be had, or no sample of those tried can be read.
    """
    from uml_pipeline.silo.measure import measure

    config = study.silo(name)
    with concerning(f"silo {name!r}"):
        samples = _opened(Opener(config, study.folder), seen.some)
        began = time.perf_counter()
        for _ in each_of(lambda sample: measure(sample, config.modality), samples):
            pass
        each = (time.perf_counter() - began) / len(samples)
        per_vector, dim = _encoded(study, name, samples)
    count = len(seen.labels)
    return Trial(STAGE + each * count, STAGE + per_vector * count, dim)


def _opened(opener: Opener, names: Sequence[str]) -> list[Sample]:
    """Those that can be read; the stage itself will say what is wrong with the others."""
    samples, wrong = list[Sample](), UserError("no sample is there", fix="put samples there, or correct `path`")
    for name in names:
        try:
            samples.append(opener(name))
        except UserError as error:
            wrong = UserError(error.what, where=error.where or name, fix=error.fix)
    if not samples:
        raise wrong
    return samples


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
    return STAGE + _TRUNK * config.seeds * len(config.shots) * classes * dim if config.mode == "probe" else None


def memory(samples_by_dim: Sequence[tuple[int, int]]) -> float:
    """Bytes, roughly: of all silos' samples and widths."""
    return _BASE + _COPIES * 4.0 * sum(samples * dim for samples, dim in samples_by_dim)
