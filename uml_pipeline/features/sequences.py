"""A silo as sequences, for what learns step by step."""

import pandas as pd
import torch
from torch import Tensor

from uml_pipeline.features.encoders import create_encoder
from uml_pipeline.features.runtime import Runtime
from uml_pipeline.features.samples import Samples
from uml_pipeline.features.steps import Steps, default, sequences
from uml_pipeline.features.store import read_config, read_features
from uml_pipeline.study import Study


def read_sequences(
    study: Study, name: str, longest: int, steps: Steps | None = None
) -> tuple[pd.DataFrame, list[Tensor]]:
    """A silo's good rows, and their sequences of at most `longest` steps: of the samples, or its features as sequences
    of one step. `steps`: see there; absent, what suits the encoder.

    Raises:
        UserError: an artifact is missing, the encoder gives no such steps, or a sample cannot be read.
    """
    manifest, vectors = read_features(study, name)
    config = study.silo(name).model_copy(update={"flip": False, "crops": 0})
    encoder = create_encoder(config, study.folder, read_config(study, name).get("fitted"))
    steps = steps or default(encoder)
    if steps == "vector":  # they are there already
        return manifest, list(torch.from_numpy(vectors)[:, None])
    samples = Samples.of(study, name, manifest)
    return manifest, sequences(encoder, samples, steps, longest, Runtime.of(study.params.features))
