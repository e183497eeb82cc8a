"""Stage `features`: a manifest in, one vector a sample (and view) out, by the silo's frozen encoder."""

from typing import TYPE_CHECKING

from uml_pipeline.cache import Cache
from uml_pipeline.errors import concerning
from uml_pipeline.features.encoders import Encoder, create_encoder
from uml_pipeline.features.samples import Samples
from uml_pipeline.features.store import mirror, write
from uml_pipeline.silo.manifest import read_manifest
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


def run(study: Study, name: str) -> None:
    """Encode the silo's good samples and write `artifacts/features/<name>`, in the manifest's order.

    Samples that any silo of the study had by the same encoder before are not encoded again; the bytes are the same.
    Killed half-way, what was encoded is kept.

    Raises:
        UserError: no manifest yet, the encoder cannot be had, or it gives something else than numbers.
    """
    from uml_pipeline.features.filling import cache_name, fill, stored
    from uml_pipeline.features.runtime import Runtime

    manifest = read_manifest(study, name).drop_duplicates("sample_id")
    samples = Samples.of(study, name, manifest)
    encoder = fitted_encoder(study, name, manifest)
    runtime = Runtime.of(study.params.features)
    workspace = Workspace(study.folder)
    with Cache(study.folder, cache_name(encoder, study.silo(name), runtime)) as cache:
        fill(cache, encoder, samples, runtime, study, name)
        with workspace.writing("features", name) as folder:
            write(folder, samples.ids, stored(cache, encoder, samples.ids), encoder.describe())
    if study.params.features.output:
        mirror(workspace.reading("features", name), study.params.features.output)


def fitted_encoder(study: Study, name: str, manifest: "pd.DataFrame") -> Encoder:
    """The silo's encoder; one that learns statistics (tables, series) has learnt them from the training samples.

    Raises:
        UserError: the encoder cannot be had.
    """
    config = study.silo(name)
    with concerning(f"silo {name!r}"):
        encoder = create_encoder(config, study.folder)
    if not encoder.fits:
        return encoder
    training = Samples.of(study, name, manifest[manifest["split"] == "train"])
    return create_encoder(config, study.folder, encoder.fit(training))
