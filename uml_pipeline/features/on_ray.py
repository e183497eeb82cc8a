"""The extraction engine on a Ray cluster: the same encoder in a pool of actors, the same bits."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.features.config import FeaturesConfig
from uml_pipeline.features.encoders import Encoder, create_encoder
from uml_pipeline.features.extract import Batch, batches
from uml_pipeline.features.runtime import Runtime
from uml_pipeline.features.samples import Samples
from uml_pipeline.samples import Opener
from uml_pipeline.study import Study

_ACTORS = 2
_ROWS = 1024  # that an actor is given at a time
_PATIENCE = 10  # seconds


def batches_on_ray(encoder: Encoder, samples: Samples, study: Study, name: str) -> Iterator[Batch]:
    """Encode all samples, in whatever order suits; every sample comes once.

    The actors open the samples themselves: the study's folder must be the same on all nodes, or the silo's path a URL.

    Raises:
        UserError: Ray is not installed, the cluster is not there, or a sample cannot be read.
    """
    import pyarrow as pa

    settings = study.params.features
    ray = _start(settings)
    table = pa.table({"place": np.arange(len(samples)), "id": samples.ids, "name": samples.names})
    blocks = ray.data.from_arrow([table.slice(start, _ROWS) for start in range(0, len(samples), _ROWS)])
    vectors = blocks.map_batches(
        _Actor,
        fn_constructor_args=(study.folder, name, encoder.fitted, encoder.fingerprint),
        batch_size=_ROWS,
        batch_format="numpy",
        num_cpus=1,
        num_gpus=settings.gpus,
        compute=ray.data.ActorPoolStrategy(size=settings.workers or _ACTORS),
    )
    try:
        for batch in vectors.iter_batches(batch_size=None, batch_format="numpy"):
            if refused := next(filter(None, batch["refused"]), None):
                raise UserError(**json.loads(refused))
            yield batch["place"].tolist(), batch["vectors"]
    except ray.exceptions.RayActorError as error:
        fix = "run again: what is encoded is kept; look into the cluster's logs if it happens again"
        raise UserError("a Ray worker was lost", where=str(error).splitlines()[0], fix=fix) from None


class _Actor:
    """One worker: an encoder and open containers of its own."""

    def __init__(self, folder: Path, silo: str, fitted: Mapping[str, Any] | None, fingerprint: str) -> None:
        study = Study(folder)
        config = study.silo(silo)
        self.runtime = replace(Runtime.of(study.params.features), threads=1)
        self.encoder = create_encoder(config, folder, fitted)
        self.opener = Opener(config, folder)
        if self.encoder.fingerprint != fingerprint:
            fix = "install the same packages and weights on all nodes"
            raise UserError("a Ray worker has another encoder", where=self.encoder.name, fix=fix)

    def __call__(self, rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        samples = Samples(self.opener, rows["id"].tolist(), rows["name"].tolist())
        shape = (len(samples), self.encoder.views, self.encoder.dim)
        vectors, refused = np.empty(shape, np.float32), ""
        try:
            for indices, batch in batches(self.encoder, samples, self.runtime):
                vectors[indices] = batch
        except UserError as error:  # as data: what Ray makes of an exception cannot be told from a bug
            refused = json.dumps({"what": error.what, "where": error.where, "fix": error.fix})
        return {"place": rows["place"], "vectors": vectors, "refused": np.full(len(samples), refused)}


def _start(settings: FeaturesConfig) -> Any:
    """Ray, connected: to the named cluster, to the one that this process already uses, or to one started here."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError:
        fix = "install it: `pip install 'uml-pipeline[ray]'`, or set `engine: local`"
        raise UserError("Ray is not installed", where="features.engine in params.yaml", fix=fix) from None
    try:
        if not ray.is_initialized():
            _reach(settings.address)
            ray.init(address=settings.address, include_dashboard=False, log_to_driver=False, logging_level="warning")
    except (OSError, ValueError, RuntimeError) as error:
        fix = "start the cluster, or correct `features.address`"
        raise UserError("no Ray cluster there", where=f"{settings.address}: {error}", fix=fix) from None
    ray.data.DataContext.get_current().enable_progress_bars = False  # ours counts samples
    return ray


def _reach(address: str | None) -> None:
    """Knock at a cluster's address: Ray itself would try for minutes, and then end this process.

    Raises:
        OSError: nobody answers.
    """
    host, colon, port = (address or "").rpartition("//")[2].rpartition(":")
    if colon:
        socket.create_connection((host, int(port)), _PATIENCE).close()
