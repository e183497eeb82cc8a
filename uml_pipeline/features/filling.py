"""The encode cache: vectors by sample content, for one encoder, its views and one way to compute; kept between runs."""

import time
from collections.abc import Iterator

import numpy as np

from uml_pipeline.cache import Cache
from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import Encoder, digest
from uml_pipeline.features.extract import Batch, batches
from uml_pipeline.features.runtime import Runtime
from uml_pipeline.features.samples import Samples
from uml_pipeline.progress import progress
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.study import Study

_SECONDS = 1.0  # of work that a kill may cost


def cache_name(encoder: Encoder, config: SiloConfig, runtime: Runtime) -> str:
    """The cache of this encoder's vectors: one file, so that those of an encoder given up are one to delete."""
    key = digest(str(one).encode() for one in (encoder.fingerprint, config.flip, config.crops, runtime.name))
    return f"features-{encoder.name.replace('/', '-').partition('?')[0]}-{key[:16]}"


def fill(cache: Cache, encoder: Encoder, samples: Samples, runtime: Runtime, study: Study, name: str) -> None:
    """Encode the samples that `cache` has not got, on the engine of params.yaml, with progress.

    Raises:
        UserError: a sample cannot be read, or gives no finite vector; what was encoded before it is kept.
    """
    lacking = set(cache.lacks(samples.ids))
    missing = samples.take([place for place, one in enumerate(samples.ids) if one in lacking])
    if not len(missing):
        return
    if study.params.features.engine == "ray":
        from uml_pipeline.features.on_ray import batches_on_ray

        stream = batches_on_ray(encoder, missing, study, name)
    else:
        stream = batches(encoder, missing, runtime)
    with progress(f"encoding {name}", len(samples), done=len(samples) - len(missing)) as advance:
        pending: list[tuple[str, bytes]] = []
        written = time.monotonic()
        try:
            for indices, vectors in _finite(stream, encoder, missing):
                pending += ((missing.ids[at], vector.tobytes()) for at, vector in zip(indices, vectors, strict=True))
                advance(len(indices))
                if time.monotonic() - written > _SECONDS:
                    cache.put(pending)
                    pending, written = [], time.monotonic()
        finally:
            cache.put(pending)


def stored(cache: Cache, encoder: Encoder, ids: list[str]) -> Iterator[np.ndarray]:
    """Vectors [view, dim] of samples that are all in the cache, in the order asked for, a few in memory at a time."""
    for wanted, (found, content) in zip(ids, cache.get(ids), strict=True):
        assert wanted == found
        yield np.frombuffer(content, np.float32).reshape(encoder.views, encoder.dim)


def _finite(stream: Iterator[Batch], encoder: Encoder, samples: Samples) -> Iterator[Batch]:
    for indices, vectors in stream:
        wrong = np.flatnonzero(~np.isfinite(vectors).all((1, 2)))
        if len(wrong):
            raise UserError(
                f"encoder {encoder.name!r} gives NaN or infinity",
                where=f"sample: {samples.names[indices[wrong[0]]]}",
                fix="remove the sample, or choose another encoder, or `precision: float32`",
            )
        yield indices, vectors
