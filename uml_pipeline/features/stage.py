"""Stage `features`: a manifest in, one vector a sample out, by the silo's frozen encoder."""

import numpy as np
from rich.console import Console
from rich.progress import Progress

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import Encoder, Sample, create_encoder
from uml_pipeline.features.store import reusable, write
from uml_pipeline.silo.manifest import CONTENT, read_manifest
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace


def run(study: Study, name: str) -> None:
    """Encode the silo's good samples and write `artifacts/features/<name>`.

    Samples that any silo of the study already has by the same encoder are not encoded again; the bytes are the same.

    Raises:
        UserError: no manifest yet, the encoder cannot be had, or it gives something else than numbers.
    """
    config = study.silo(name)
    workspace = Workspace(study.folder)
    manifest = read_manifest(study, name).drop_duplicates("sample_id").sort_values("sample_id")
    ids = manifest["sample_id"].tolist()
    encoder = create_encoder(config, study.folder)
    vectors = reusable(workspace, encoder.fingerprint, ids)
    new = manifest[~manifest["sample_id"].isin(list(vectors))]
    content = new[CONTENT[config.modality]]
    samples = [study.folder / path for path in content] if config.modality == "image" else content.tolist()
    vectors |= zip(new["sample_id"], _encode(encoder, samples), strict=True)
    with workspace.writing("features", name) as folder:
        write(folder, ids, np.stack([vectors[one] for one in ids]), encoder.describe())


def _encode(encoder: Encoder, samples: list[Sample]) -> np.ndarray:
    """Vectors [sample, dim], with progress; each checked."""
    vectors = np.empty((len(samples), encoder.dim), np.float32)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"encoding {encoder.modality}s", total=len(samples))
        for indices, batch in encoder.batches(samples):
            vectors[indices] = batch
            progress.advance(task, len(indices))
    wrong = np.flatnonzero(~np.isfinite(vectors).all(1))
    if len(wrong):
        raise UserError(
            f"encoder {encoder.name!r} gives NaN or infinity for {len(wrong)} sample(s)",
            where=f"the first: {samples[wrong[0]]}",
            fix="remove the sample, or choose another encoder",
        )
    return vectors
